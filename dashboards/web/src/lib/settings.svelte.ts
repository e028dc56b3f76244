// What a person set for this browser: keys of one letter, and whether changes are read out. Kept in
// the browser; where it keeps nothing, the settings last as long as the page.

const PLACE = "atalaya.settings";

class Settings {
  /** `?`, `/` and `p` act. */
  keys = $state(true);
  /** Changes are told to a screen reader. */
  told = $state(true);

  read(): void {
    try {
      const kept = JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Partial<Settings>;
      this.keys = kept.keys !== false;
      this.told = kept.told !== false;
    } catch {
      // Nothing kept, or nothing that can be read: as if never set.
    }
  }

  set(name: "keys" | "told", on: boolean): void {
    this[name] = on;
    try {
      localStorage.setItem(PLACE, JSON.stringify({ keys: this.keys, told: this.told }));
    } catch {
      // The browser keeps nothing for this page; it holds until the page is left.
    }
  }
}

export const settings = new Settings();
