// Keeps the screen on while the page is seen, where the browser can. A lock ends when the page is
// hidden, so it is asked for again.

export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let ended = false;
  const take = async (): Promise<void> => {
    if (document.visibilityState !== "visible") return;
    try {
      const taken = await navigator.wakeLock.request("screen");
      if (ended) await taken.release();
      else lock = taken;
    } catch {
      // No lock in this browser, or not now: the screen does as it is set up to.
    }
  };
  const again = (): void => void take();
  document.addEventListener("visibilitychange", again);
  void take();
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", again);
    void lock?.release();
  };
}
