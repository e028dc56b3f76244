// Light or dark: the system's, unless `?theme=` or a press of the button says otherwise.

export function readTheme(query: URLSearchParams): void {
  const asked = query.get("theme");
  if (asked === "dark" || asked === "light") document.documentElement.dataset.theme = asked;
}

export function toggleTheme(): void {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  const url = new URL(location.href);
  url.searchParams.set("theme", next);
  history.replaceState(history.state, "", url);
}
