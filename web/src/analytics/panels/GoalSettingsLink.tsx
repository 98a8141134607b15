import { Button } from "../../widgets/ui";
import { useDashboard } from "../parts/context";
import { useRight } from "../view/source";

/** The way to a new goal, for those who may make one. */
export default function GoalSettingsLink() {
  const { change } = useDashboard();
  const may = useRight("admin");
  if (!may) return null;
  return (
    <div>
      <Button small icon="plus" onClick={() => change({ dialog: "goals" }, { push: true })}>
        Add or change goals
      </Button>
    </div>
  );
}
