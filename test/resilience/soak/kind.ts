// The kinds of responses in a soak.

/** Who starts it: our trigger in the background, with `hold`, or with `stream`; another program of the project; or no one: then only a webhook names it. */
export type Kind = "trigger" | "held" | "followed" | "external" | "unknown";
