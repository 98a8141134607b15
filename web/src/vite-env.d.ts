/// <reference types="vite/client" />
import "react";

declare module "react" {
  interface CSSProperties {
    /** A width that the style sheet reads. */
    "--panel"?: string;
    /** Where a tile lies on a dashboard, and how high it is. */
    "--column"?: string;
    "--row"?: string;
    "--height"?: string;
  }
}
