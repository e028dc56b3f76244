// Which build of the page this is, and whether the server has another: the names of its files say
// so, since they carry a hash of what is in them. Pure but for reading the page's own head.

const FILE = /(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g;

/** The files that a page of HTML loads, in order of name. */
export const filesOf = (html: string): string[] =>
  [...html.matchAll(FILE)].map((m) => m[1] ?? "").sort();

export const isOther = (mine: string, theirs: string): boolean => {
  const theirFiles = filesOf(theirs);
  // An answer that names no file is no page: a proxy's, or a server that is going down.
  return theirFiles.length > 0 && theirFiles.join(" ") !== filesOf(mine).join(" ");
};

/** Asks for the page again and says whether it is another build. */
export async function newBuild(): Promise<boolean> {
  try {
    const answer = await fetch("/wallboard", { cache: "no-store" });
    return answer.ok && isOther(document.head.innerHTML, await answer.text());
  } catch {
    return false;
  }
}
