import { redactSecrets } from "../redact-secrets.ts";
import type { Settings } from "../settings.ts";

type Tool = Record<string, unknown>;

const REDACTED = "<redacted>";

/** A tool of the request as the response has it: with its defaults, and without credentials. */
export function toEchoedTool(tool: Tool, { mcpCredentials }: Settings): unknown {
  const echoed = { ...DEFAULTS[String(tool["type"])], ...tool };
  const isMasked = tool["type"] === "mcp" && mcpCredentials === "redacted";
  return redactSecrets(isMasked ? maskCredentials(echoed) : echoed);
}

const WEB_SEARCH_DEFAULTS = {
  filters: null,
  search_context_size: "medium",
  user_location: { type: "approximate", city: null, country: "US", region: null, timezone: null },
};

/** What OpenAI adds to tools, as recorded. */
const DEFAULTS: Record<string, Tool> = {
  function: { strict: true, description: null, parameters: null },
  web_search: WEB_SEARCH_DEFAULTS,
  web_search_preview: WEB_SEARCH_DEFAULTS,
};

/** Recorded: header values, the authorization, and what follows the host of the URL come back masked. */
function maskCredentials({ headers, authorization, server_url, ...rest }: Tool): Tool {
  return {
    ...rest,
    ...(headers ? { headers: maskValues(headers) } : {}),
    ...(authorization ? { authorization: REDACTED } : {}),
    ...(typeof server_url === "string" ? { server_url: maskPath(server_url) } : {}),
  };
}

function maskValues(headers: unknown): Tool {
  const names = typeof headers === "object" && headers !== null ? Object.keys(headers) : [];
  return Object.fromEntries(names.map((name) => [name, REDACTED]));
}

function maskPath(url: string): string {
  const origin = URL.parse(url)?.origin;
  return origin === undefined ? REDACTED : `${origin}/${REDACTED}`;
}
