/** The kinds of pictures in front of items. */
export type IconName =
  | "message"
  | "thought"
  | "code"
  | "search"
  | "image"
  | "tool"
  | "list"
  | "line";

/** SVG paths in a view box of 24 by 24. */
const PATHS: Record<IconName, string> = {
  message: "M4 5h16v11H9l-5 4z",
  thought: "M9 18h6M10 21h4M8 14a6 6 0 1 1 8 0c-.7.6-1 1-1 2H9c0-1-.3-1.4-1-2z",
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.1",
  tool: "M14 4a5 5 0 0 0-4.5 7L4 16.5 7.5 20 13 14.5A5 5 0 0 0 20 9l-3 3-4-1-1-4z",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.1M4 12h.1M4 18h.1",
  line: "M5 12h14",
};

/** The picture of a kind. It is decorative: the title says the same. */
export function ItemIcon(props: { name: IconName }) {
  return (
    <svg class="item-icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
      <path d={PATHS[props.name]} />
    </svg>
  );
}
