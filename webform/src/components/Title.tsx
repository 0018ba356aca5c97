import type { ReactNode, Ref } from 'react';
import { useDesk } from '../desk';

interface Props {
  ref: Ref<HTMLHeadingElement>;
  dir?: 'auto' | undefined;
  children: ReactNode;
}

/** The heading of what is shown, at the level it has on the page; focus can be sent to it. */
export function Title({ ref, dir, children }: Props) {
  const { headingLevel } = useDesk();
  const Heading = `h${headingLevel}` as const;
  return (
    <Heading ref={ref} className="title" tabIndex={-1} dir={dir}>
      {children}
    </Heading>
  );
}
