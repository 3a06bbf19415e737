// The gates of a version in one word.
import type { ModelVersion } from "./api";

// failed before unknown before passed; undefined without gates.
export function worstGate(version: Pick<ModelVersion, "gates">): "passed" | "failed" | "unknown" | undefined {
  const states = (version.gates ?? []).map((gate) => gate.status);
  return (["failed", "unknown", "passed"] as const).find((state) => states.includes(state));
}
