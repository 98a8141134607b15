/** The pages of the menu: one table for navigation, palette and keys. */
import type { IconName } from "../widgets/icons";

export interface PageEntry {
  path: string;
  title: string;
  icon: IconName;
  key: string;
  scope: string;
  words: string;
}

export const PAGES: PageEntry[] = [
  { path: "/start", title: "First run", icon: "start", key: "h", scope: "read:aggregates", words: "home install snippet tracker" },
  { path: "/live", title: "Live", icon: "live", key: "l", scope: "read:events", words: "events stream now" },
];
