import { EXAMPLE } from "../openai.ts";
import { Layout } from "./layout.tsx";

/** Starts a background response. */
export function TriggerPage() {
  return (
    <Layout title="Trigger">
      <h1>Start a background response</h1>
      <form method="post" action="/trigger">
        <label for="input">Input</label>
        <textarea id="input" name="input" rows={6} required>
          {EXAMPLE.input}
        </textarea>
        <label for="model">Model</label>
        <input id="model" name="model" placeholder="the recorder's default" />
        <label for="memory">Code interpreter</label>
        <select id="memory" name="memory">
          <option value="1g">1 GB</option>
          <option value="4g" selected>
            4 GB
          </option>
          <option value="16g">16 GB</option>
          <option value="64g">64 GB</option>
          <option value="none">off</option>
        </select>
        <label for="advanced">More create parameters, as JSON</label>
        <textarea id="advanced" name="advanced" rows={4}></textarea>
        <button>Start</button>
      </form>
    </Layout>
  );
}
