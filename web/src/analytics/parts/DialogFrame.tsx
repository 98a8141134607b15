import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "../../widgets/ui";

/** A dialog over the page; the whole width at the bottom of a phone. */
export function DialogFrame({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade-in fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content aria-describedby={undefined} className="fade-in thin-scroll fixed inset-x-0 bottom-0 z-50 max-h-[92dvh] overflow-auto rounded-t-2xl border border-line bg-raised p-5 shadow-float md:inset-x-auto md:bottom-auto md:left-1/2 md:top-[8dvh] md:max-h-[84dvh] md:w-[42rem] md:-translate-x-1/2 md:rounded-2xl">
          <div className="mb-4 flex items-center">
            <Dialog.Title className="flex-1">{title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton name="close" label="Close" />
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
