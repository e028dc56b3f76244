// What is looked at, kept in the address so that it can be saved and sent: filters of the agents
// grid, and the window of the strip. Changing it leaves no trail of steps back.
import { SvelteSet } from "svelte/reactivity";
import { STATES } from "./board";
import { isWindow, type Window } from "./figures";
import type { Presence } from "./wire";

const DEFAULT_WINDOW: Window = "today";
/** Characters of a name that is searched for. */
export const TEXT_MAX = 60;

class Looked {
  readonly states = new SvelteSet<Presence>();
  text = $state("");
  window = $state<Window>(DEFAULT_WINDOW);

  read(query: URLSearchParams): void {
    const states = new Set((query.get("state") ?? "").split(","));
    this.states.clear();
    for (const state of STATES) if (states.has(state)) this.states.add(state);
    this.text = (query.get("name") ?? "").slice(0, TEXT_MAX);
    const window = query.get("window");
    this.window = isWindow(window) ? window : DEFAULT_WINDOW;
  }

  toggle(state: Presence): void {
    if (!this.states.delete(state)) this.states.add(state);
    this.write();
  }

  only(state: Presence): void {
    this.states.clear();
    this.states.add(state);
    this.write();
  }

  search(text: string): void {
    this.text = text.slice(0, TEXT_MAX);
    this.write();
  }

  choose(window: Window): void {
    this.window = window;
    this.write();
  }

  clear(): void {
    this.states.clear();
    this.text = "";
    this.write();
  }

  private write(): void {
    const url = new URL(location.href);
    const put = (name: string, value: string): void => {
      if (value === "") url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    };
    put("state", STATES.filter((s) => this.states.has(s)).join(","));
    put("name", this.text.trim());
    put("window", this.window === DEFAULT_WINDOW ? "" : this.window);
    history.replaceState(history.state, "", url);
  }
}

export const looked = new Looked();
