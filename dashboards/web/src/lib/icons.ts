// The glyphs: 16 × 16, drawn in the text's colour, filled or with a line of 1.5. A state's glyph has
// the state's name; busy work on another channel than voice has the channel's. No colour is here.

export interface Shape {
  d: string;
  line?: true;
  dash?: string;
}

const GLYPHS = {
  ready: [{ d: "M3 8a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z" }],
  offered: [
    {
      d: "M3.4 6.2 4.8 6l.9 2.3-1.1.9a6.5 6.5 0 0 0 2.7 2.7l.9-1.1 2.3.9-.2 1.4c-.1.8-.7 1.3-1.5 1.3A7.3 7.3 0 0 1 2 7.7c0-.8.6-1.4 1.4-1.5z",
    },
    { d: "M8.5 5.2A3.2 3.2 0 0 1 11 7.7M9 2.2a6 6 0 0 1 5 5", line: true },
  ],
  busy: [
    {
      d: "M4.2 2.2 6 2l1.2 3-1.4 1.2a8.5 8.5 0 0 0 4 4L11 8.8l3 1.2-.2 1.8c-.1 1-.9 1.7-1.9 1.7A9.5 9.5 0 0 1 2.5 4.1c0-1 .7-1.8 1.7-1.9z",
    },
  ],
  wrap_up: [{ d: "M11.6 1.8a1 1 0 0 1 1.4 0l1.2 1.2a1 1 0 0 1 0 1.4L5.8 12.8 2.2 13.8l1-3.6z" }],
  not_ready: [
    {
      d: "M4.3 3h1.6a0.8 0.8 0 0 1 0.8 0.8v8.4a0.8 0.8 0 0 1 -0.8 0.8h-1.6a0.8 0.8 0 0 1 -0.8 -0.8v-8.4a0.8 0.8 0 0 1 0.8 -0.8z",
    },
    {
      d: "M10.1 3h1.6a0.8 0.8 0 0 1 0.8 0.8v8.4a0.8 0.8 0 0 1 -0.8 0.8h-1.6a0.8 0.8 0 0 1 -0.8 -0.8v-8.4a0.8 0.8 0 0 1 0.8 -0.8z",
    },
  ],
  missed: [
    { d: "M6.7 1.8h2.6l-.5 7.7H7.2z" },
    { d: "M6.5 12.8a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0z" },
  ],
  lost: [
    { d: "M2.8 8a5.2 5.2 0 1 0 10.4 0a5.2 5.2 0 1 0 -10.4 0z", line: true, dash: "2.5 2" },
    { d: "M3 13 13 3", line: true },
  ],
  signed_out: [
    { d: "M3.4000000000000004 8a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0 -9.2 0z", line: true },
  ],
  warning: [{ d: "M8 1.8 15 14H1z" }],
  critical: [
    {
      d: "M3.2 2.2h9.6a1 1 0 0 1 1 1v9.6a1 1 0 0 1 -1 1h-9.6a1 1 0 0 1 -1 -1v-9.6a1 1 0 0 1 1 -1z",
    },
  ],
  check: [{ d: "m3 8.5 3.2 3.2L13 4.8", line: true }],
  chat: [{ d: "M2.5 3.5h11v7.5H7L4 13.5V11H2.5z", line: true }],
  email: [{ d: "M2 3.8h12v8.5H2zM2.5 4.3 8 8.8l5.5-4.5", line: true }],
  sms: [{ d: "M4.5 1.8h7v12.4h-7zM7 12h2", line: true }],
  mailbox: [{ d: "M2 8.5 4 3h8l2 5.5V13H2zM2 8.5h3.5l1 2h3l1-2H14", line: true }],
  visit: [
    {
      d: "M8 7.3A2.6 2.6 0 1 0 8 2.1a2.6 2.6 0 0 0 0 5.2zM2.8 14c0-3 2.3-4.7 5.2-4.7s5.2 1.7 5.2 4.7",
      line: true,
    },
  ],
  callback: [
    {
      d: "M4.2 2.2 6 2l1.2 3-1.4 1.2a8.5 8.5 0 0 0 4 4L11 8.8l3 1.2-.2 1.8c-.1 1-.9 1.7-1.9 1.7A9.5 9.5 0 0 1 2.5 4.1c0-1 .7-1.8 1.7-1.9z",
    },
    { d: "M14 5.5V2h-3.5M14 2l-4 4", line: true },
  ],
  outbound: [
    {
      d: "M4.2 2.2 6 2l1.2 3-1.4 1.2a8.5 8.5 0 0 0 4 4L11 8.8l3 1.2-.2 1.8c-.1 1-.9 1.7-1.9 1.7A9.5 9.5 0 0 1 2.5 4.1c0-1 .7-1.8 1.7-1.9z",
    },
    { d: "M10.5 2H14v3.5M14 2l-4 4", line: true },
  ],
  search: [{ d: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14", line: true }],
  theme: [
    { d: "M1.7999999999999998 8a6.2 6.2 0 1 0 12.4 0a6.2 6.2 0 1 0 -12.4 0z", line: true },
    { d: "M8 1.8a6.2 6.2 0 0 1 0 12.4z" },
  ],
  lock: [{ d: "M3.5 7h9v6.5h-9zM5.5 7V4.8a2.5 2.5 0 0 1 5 0V7", line: true }],
  live: [
    { d: "M5.8 8a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0 -4.4 0z" },
    { d: "M4.3 4.3a5.2 5.2 0 0 0 0 7.4M11.7 4.3a5.2 5.2 0 0 1 0 7.4", line: true },
  ],
  off: [
    { d: "M4.3 4.3a5.2 5.2 0 0 0 0 7.4M11.7 4.3a5.2 5.2 0 0 1 0 7.4M2.5 2.5l11 11", line: true },
  ],
  clock: [
    { d: "M2 8a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z", line: true },
    { d: "M8 4.5V8l2.5 1.5", line: true },
  ],
  pause: [{ d: "M5.5 3.5v9M10.5 3.5v9", line: true }],
  play: [{ d: "M4.5 2.8v10.4L13 8z" }],
  cross: [{ d: "m4 4 8 8M12 4l-8 8", line: true }],
  back: [{ d: "M13.5 8h-11M6.5 4l-4 4 4 4", line: true }],
  down: [{ d: "m4 6 4 4 4-4", line: true }],
  step: [{ d: "M2 13.5h4v-4h4v-4h4", line: true }],
  sound: [
    { d: "M2 6h2.5L8 3v10L4.5 10H2z" },
    { d: "M10.5 6a3 3 0 0 1 0 4M12.5 4a6 6 0 0 1 0 8", line: true },
  ],
  info: [
    { d: "M2 8a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z", line: true },
    { d: "M8 7.4v3.4M8 5v.1", line: true },
  ],
  help: [
    { d: "M1.8 8a6.2 6.2 0 1 0 12.4 0a6.2 6.2 0 1 0 -12.4 0z", line: true },
    {
      d: "M6.2 6.3A1.9 1.9 0 0 1 8 4.8c1.1 0 1.9.7 1.9 1.7 0 1.3-1.9 1.4-1.9 2.7M8 11.5v.1",
      line: true,
    },
  ],
  tower: [{ d: "M5 1.5h6V4H9.8l1.7 10.5h-7L6.2 4H5z" }],
} as const satisfies Record<string, readonly Shape[]>;

export type Glyph = keyof typeof GLYPHS;

export const isGlyph = (name: string): name is Glyph => Object.hasOwn(GLYPHS, name);
export const shapesOf = (name: Glyph): readonly Shape[] => GLYPHS[name];
