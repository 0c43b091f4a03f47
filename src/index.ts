// The Worker's exports.
export { app as default } from "./app.tsx";
export { Holder, Once, Recorder } from "./workflows/classes.ts";
