import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import type { Container, ContainerFile, Containers } from "../containers/containers.ts";
import { findUpload } from "../containers/uploads.ts";
import { ApiError } from "../errors.ts";
import { toUnixSeconds } from "../lib/ids.ts";
import { redactSecrets } from "../redact-secrets.ts";
import { MemoryLimit } from "../responses/create-params.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { parseFormBody, parseJsonBody, sendBytes } from "./body.ts";
import { paginate } from "./page.ts";

const CreateContainerParams = z.strictObject({
  name: z.string(),
  expires_after: z
    .object({ anchor: z.literal("last_active_at"), minutes: z.int().min(1).max(20) })
    .nullish(),
  file_ids: z.array(z.string()).nullish(),
  memory_limit: MemoryLimit.nullish(),
  network_policy: z.looseObject({}).nullish(),
  skills: z.array(z.unknown()).nullish(),
});

const CreateFileParams = z.object({
  file: z.instanceof(File).optional(),
  file_id: z.string().optional(),
});

/** `/v1/containers`. Each request about one container restarts its expiry. */
export function containerRoutes({ containers, uploads }: State): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/", async (c) => {
      const params = validate(CreateContainerParams, await parseJsonBody(c));
      const files = (params.file_ids ?? []).map((id) => findUpload(uploads, id));
      const options = {
        name: params.name,
        memoryLimit: params.memory_limit ?? undefined,
        expiryMinutes: params.expires_after?.minutes,
        networkPolicy: params.network_policy ?? undefined,
      };
      return c.json(toContainer(containers, containers.create(options, files)));
    })
    .get("/", (c) => {
      const name = c.req.query("name");
      const list = containers.list().map((container) => toContainer(containers, container));
      return c.json(
        paginate(
          c,
          list.filter((container) => (name ?? container.name) === container.name),
        ),
      );
    })
    .get("/:id", (c) => c.json(toContainer(containers, containers.read(c.req.param("id")))))
    .delete("/:id", (c) => {
      const id = c.req.param("id");
      containers.delete(id);
      return c.json({ id, object: "container.deleted", deleted: true });
    })
    .post("/:id/files", async (c) => {
      const container = containers.use(c.req.param("id"));
      const { file, file_id } = validate(CreateFileParams, await parseFormBody(c));
      if (file_id !== undefined) {
        const { filename, bytes } = findUpload(uploads, file_id);
        return c.json(toContainerFile(container, container.addUpload(filename, bytes)));
      }
      if (!file) throw new ApiError(400, "Missing required parameter: 'file'.", { param: "file" });
      const bytes = new Uint8Array(await file.arrayBuffer());
      return c.json(toContainerFile(container, container.addUpload(file.name, bytes)));
    })
    .get("/:id/files", (c) => {
      const container = containers.read(c.req.param("id"));
      const files = [...container.filesByPath.values()];
      const list = files.map((file) => toContainerFile(container, file));
      return c.json(paginate(c, list));
    })
    .get("/:id/files/:file", (c) => {
      const container = containers.read(c.req.param("id"));
      return c.json(toContainerFile(container, container.findFile(c.req.param("file"))));
    })
    .delete("/:id/files/:file", (c) => {
      const container = containers.use(c.req.param("id"));
      const { id, path } = container.findFile(c.req.param("file"));
      container.removeFile(path);
      return c.json({ id, object: "container.file.deleted", deleted: true });
    })
    .get("/:id/files/:file/content", (c) => {
      const { bytes } = containers.read(c.req.param("id")).findFile(c.req.param("file"));
      return sendBytes(c, bytes);
    });
}

function toContainer(containers: Containers, container: Container) {
  const { id, createdAt, lastActiveAt, expired, evicted, options } = container;
  return {
    id,
    object: "container",
    created_at: createdAt,
    status: expired || evicted ? "expired" : "running",
    expires_after: { anchor: "last_active_at", minutes: containers.getExpiryMinutes(container) },
    last_active_at: toUnixSeconds(lastActiveAt),
    memory_limit: options.memoryLimit ?? "1g",
    name: options.name ?? "",
    network_policy: redactSecrets(options.networkPolicy ?? { type: "disabled" }),
  };
}

function toContainerFile(
  container: Container,
  { id, createdAt, bytes, path, source }: ContainerFile,
) {
  return {
    id,
    object: "container.file",
    created_at: createdAt,
    bytes: bytes.length,
    container_id: container.id,
    path,
    source,
  };
}
