// A button for what not everyone may do: it can be reached, says why it is off, and does nothing then.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  why: string | undefined; // the reason that it is off
  onClick?: () => void;
  type?: "button" | "submit";
  class?: string;
  disabled?: boolean;
  children: ComponentChildren;
}

export function Act({ why, onClick, type = "button", class: name, disabled = false, children }: Props) {
  const id = useId();
  if (why === undefined) return <button type={type} class={name} disabled={disabled} onClick={onClick}>{children}</button>;
  return (
    <span class="act">
      <button type="button" class={name} aria-disabled="true" aria-describedby={id} title={why}>{children}</button>
      <span id={id} class="why">{why}</span>
    </span>
  );
}
