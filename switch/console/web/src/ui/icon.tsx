// Icons are drawn here, 24 by 24, in strokes; no file is loaded for them.
const paths = {
  calls: 'M4 6h16M4 12h10M4 18h13',
  scripts: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16',
  numbers: 'M9 4l-2 16M17 4l-2 16M4 9h17M3 15h17',
  phone: 'M5 3h4l2 5-3 2a12 12 0 0 0 6 6l2-3 5 2v4a2 2 0 0 1-2 2A17 17 0 0 1 3 5a2 2 0 0 1 2-2z',
  hangup: 'M3 14c0-6 18-6 18 0v2h-5v-3c-2-1-6-1-8 0v3H3z',
  play: 'M7 4l13 8-13 8z',
  pause: 'M7 4v16M17 4v16',
  share: 'M10 14a4 4 0 0 0 6 0l4-4a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-4 4a4 4 0 0 0 6 6l1-1',
  download: 'M12 3v12M7 11l5 5 5-5M4 20h16',
  search: 'M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15 15l6 6',
  out: 'M10 4H4v16h6M9 12h12M17 8l4 4-4 4',
  keys: 'M3 6h18v12H3zM7 10h0M12 10h0M17 10h0M8 14h8',
  ok: 'M4 12l6 6L20 6',
  bad: 'M6 6l12 12M18 6L6 18',
  live: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8',
  paper: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14 5l-7 7 7 7',
  next: 'M10 5l7 7-7 7',
  edit: 'M4 20l1-5L16 4l4 4L9 19z',
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M5 11a7 7 0 0 0 14 0M12 18v3',
  mute: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M5 11a7 7 0 0 0 14 0M12 18v3M3 3l18 18',
  hold: 'M8 5v14M16 5v14',
  transfer: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4',
  plus: 'M12 4v16M4 12h16',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  save: 'M5 3h11l3 3v15H5zM8 3v5h7M8 21v-7h8v7',
  globe: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M5 19l3-3M16 8l3-3',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  warn: 'M12 3L2 20h20zM12 10v5M12 17.5v.5',
} as const

export type IconName = keyof typeof paths

/** An icon; beside words it is silent to screen readers. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
      stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
