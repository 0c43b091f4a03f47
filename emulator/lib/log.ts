/** Takes a line for who runs the emulator. The command line prints it; an emulator that is started from code drops it by default. */
export type Log = (line: string) => void;
