// Moving among tiles by keys: where the focus goes next, from where the tiles stand. Pure: boxes in,
// an index out.

export interface Box {
  left: number;
  top: number;
}

export const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"] as const;
export type Move = (typeof MOVES)[number];
export const isMove = (key: string): key is Move => MOVES.some((m) => m === key);

/** Tops within this of each other are one row, pixels. */
const ROW_PX = 6;

/** The index to go to; the same one where there is nothing that way. */
export function nextIndex(boxes: readonly Box[], at: number, move: Move): number {
  const here = boxes[at];
  if (here === undefined) return 0;
  const sameRow = (b: Box): boolean => Math.abs(b.top - here.top) <= ROW_PX;
  switch (move) {
    case "ArrowLeft":
      return Math.max(0, at - 1);
    case "ArrowRight":
      return Math.min(boxes.length - 1, at + 1);
    case "Home":
      return boxes.findIndex(sameRow);
    case "End":
      return boxes.findLastIndex(sameRow);
    case "ArrowUp":
      return nearest(boxes, at, here, -1);
    case "ArrowDown":
      return nearest(boxes, at, here, 1);
  }
}

/** In the next row up or down, the tile that stands nearest to this one's left edge. */
function nearest(boxes: readonly Box[], at: number, here: Box, way: 1 | -1): number {
  const beyond = (b: Box): boolean => (b.top - here.top) * way > ROW_PX;
  const tops = boxes.filter(beyond).map((b) => b.top * way);
  if (tops.length === 0) return at;
  const row = Math.min(...tops) * way;
  let best = at;
  let least = Number.POSITIVE_INFINITY;
  boxes.forEach((b, i) => {
    const far = Math.abs(b.left - here.left);
    if (Math.abs(b.top - row) <= ROW_PX && far < least) [best, least] = [i, far];
  });
  return best;
}
