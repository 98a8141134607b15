import { Board } from "../boards/Board";
import { BoardList } from "../boards/BoardList";
import { one } from "../view/search";
import { useView } from "../view/useView";

export function Page() {
  const [search] = useView();
  const id = one(search.id);
  return id ? <Board id={id} /> : <BoardList />;
}
