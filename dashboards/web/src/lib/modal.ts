// A modal dialog's manners: the page under it is inert, Tab stays inside, Esc and a press beside it
// close it, and the focus goes back to where it was. What is in it is not here.

const FOCUSABLE =
  "button:not([disabled]):not([tabindex='-1']), a[href], input:not([disabled]), select, textarea, [tabindex='0']";

/** Where an element stood in the window; the dialog comes near it. */
export interface Near {
  left: number;
  top: number;
}

/** Pixels kept free at the window's edges, and between the dialog and what it belongs to. */
const EDGE = 16;
const GAP = 6;

/** Places by a sheet of its own: the policy of the page takes no style in an attribute. */
function place(dialog: HTMLDialogElement, near: Near): () => void {
  const sheet = new CSSStyleSheet();
  const most = (room: number, size: number, at: number): number =>
    Math.round(Math.max(EDGE, Math.min(at, room - size - EDGE)));
  const put = (): void => {
    const { width, height } = dialog.getBoundingClientRect();
    const left = most(innerWidth, width, near.left);
    const top = most(innerHeight, height, near.top + GAP);
    sheet.replaceSync(`.dialog-near { left: ${left}px; top: ${top}px; }`);
  };
  // What is in it grows and shrinks.
  const grown = new ResizeObserver(put);
  grown.observe(dialog);
  put();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  dialog.classList.add("dialog-near");
  return () => {
    grown.disconnect();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
  };
}

export const modal =
  (onclose: () => void, near: Near | null, home: () => HTMLElement | null) =>
  (dialog: HTMLDialogElement): (() => void) => {
    const opener = document.activeElement;
    const keydown = (event: KeyboardEvent): void => {
      if (event.key !== "Tab") return;
      const inside = [...dialog.querySelectorAll<HTMLElement>(FOCUSABLE)];
      const at = inside.indexOf(document.activeElement as HTMLElement);
      const to = event.shiftKey ? at <= 0 && inside.at(-1) : at === inside.length - 1 && inside[0];
      if (!to) return;
      event.preventDefault();
      to.focus();
    };
    const cancel = (event: Event): void => {
      event.preventDefault();
      onclose();
    };
    const pressed = (event: MouseEvent): void => {
      if (event.target === dialog) onclose();
    };
    dialog.addEventListener("keydown", keydown);
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("mousedown", pressed);
    dialog.showModal();
    const unplace = near === null ? null : place(dialog, near);
    return () => {
      unplace?.();
      dialog.close();
      const back = opener instanceof HTMLElement && opener.isConnected ? opener : home();
      back?.focus({ preventScroll: true });
    };
  };
