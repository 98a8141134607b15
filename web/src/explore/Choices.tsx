import type { DimensionDefinition } from "../analytics/view/definitions";
import { type Carried, grouped } from "./catalogue";

/** Options of a menu: dimensions by group, then properties by what carries them. */
export function Choices({ dimensions, carriers }: { dimensions: DimensionDefinition[]; carriers: Carried[] }) {
  const groups = [...grouped(dimensions), ...carriers.map((carrier) => [carrier.label, carrier.properties] as const)];
  return groups.map(([label, list]) => (
    <optgroup key={label} label={label}>
      {list.map((choice) => (
        <option key={choice.name} value={choice.name}>
          {choice.label}
        </option>
      ))}
    </optgroup>
  ));
}
