// The Worker's exports.
export { app as default } from "./app.tsx";
export { Catalog } from "./objects/catalog/catalog.ts";
export { Holder, Recorder } from "./workflows/classes.ts";
