import type { Schemas } from "../../api/client";

export type Role = Schemas["Person"]["role"];
/** The least first. */
export const ROLES: Role[] = ["viewer", "analyst", "editor", "admin"];

/** The role that an option's text names. */
export function roleOf(text: string): Role | undefined {
  return ROLES.find((role) => role === text);
}
