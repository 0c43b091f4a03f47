// The recorder's status: its settings, and for somebody who is logged in what the checks found.
import { HealthChecks, type HealthCheck } from "../../api/answers/health.ts";
import type { Health } from "../../api/schemas.ts";
import { Chip } from "../components/chip.tsx";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { formatTime } from "../text/format.ts";

/** The name of a check, and what its time and its run are. */
type CheckLabels = { name: string; at?: string; id?: string };

const CHECKS: Record<keyof HealthChecks, CheckLabels> = {
  openai_key: { name: "OpenAI's key" },
  openai_containers: { name: "Containers" },
  webhooks: { name: "Webhooks", at: "Last webhook", id: "Newest run without one" },
  pending: { name: "Runs in flight", at: "The oldest run began", id: "Its id" },
  notifications: { name: "Notifications", id: "Newest run" },
  kv: { name: "KV" },
  objects: { name: "Durable Objects" },
};

/** The page of the status. */
export function StatusPage(props: { health: Health; isLoggedIn: boolean }) {
  const { ready, settings, checks } = props.health;
  return (
    <Layout title="Status" isLoggedIn={props.isLoggedIn}>
      <div class="row page-heading">
        <h1>Status</h1>
        <Chip tone={ready ? "good" : "bad"}>{ready ? "ready" : "not ready"}</Chip>
      </div>
      {checks === undefined ? (
        <p>
          <a href="/login?next=/health">Log in</a> to try what the settings lead to.
        </p>
      ) : (
        <Checks checks={checks} />
      )}
      <section class="card" aria-labelledby="settings">
        <h2 id="settings">Settings</h2>
        <ul class="checks">
          {Object.entries(settings).map(([name, isInPlace]) => (
            <li>
              <code>{name}</code>
              <Chip tone={isInPlace ? "good" : "bad"}>
                {isInPlace ? "in place" : "missing or malformed"}
              </Chip>
            </li>
          ))}
        </ul>
      </section>
    </Layout>
  );
}

function Checks({ checks }: { checks: HealthChecks }) {
  return (
    <section class="card" aria-labelledby="checks">
      <h2 id="checks">Checks</h2>
      <ul class="checks">
        {HealthChecks.keyof().options.map((name) => (
          <Check labels={CHECKS[name]} check={checks[name]} />
        ))}
      </ul>
    </section>
  );
}

function Check(props: { labels: CheckLabels; check: HealthCheck }) {
  const { ok, message, at, id } = props.check;
  const { labels } = props;
  return (
    <li>
      <strong>{labels.name}</strong>
      <Chip tone={ok ? "good" : "bad"}>{ok ? "ok" : "failed"}</Chip>
      <span>
        <IsolatedText text={message} />
        {at === null ? null : (
          <>
            {` ${labels.at ?? "At"}: `}
            <time datetime={at}>{formatTime(at)}</time>.
          </>
        )}
        {id === null ? null : (
          <>
            {` ${labels.id ?? "Run"}: `}
            <a href={`/results/${id}`}>{id}</a>
          </>
        )}
      </span>
    </li>
  );
}
