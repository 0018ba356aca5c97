import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const AlertIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.25" />
    <path d="M8 4.75v3.75M8 11.1v.15" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="M3.25 8.5 6.5 11.75l6.25-7" />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <circle cx="8" cy="5.25" r="2.5" />
    <path d="M3 13.25c.6-2.6 2.5-4 5-4s4.4 1.4 5 4" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M6.75 9.25a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 1 0-3.7-3.7l-.8.8M9.25 6.75a2.6 2.6 0 0 0-3.7 0l-2.3 2.3a2.6 2.6 0 1 0 3.7 3.7l.8-.8" />
  </Icon>
);

export const ChevronIcon = () => (
  <Icon>
    <path d="m3.75 6.25 4.25 4 4.25-4" />
  </Icon>
);

export const ClipIcon = () => (
  <Icon>
    <path d="m13.25 7.4-5.4 5.4a3.1 3.1 0 0 1-4.4-4.4l5.6-5.6a2.1 2.1 0 0 1 3 3l-5.5 5.5a1 1 0 0 1-1.5-1.4l4.9-4.9" />
  </Icon>
);

export const FileIcon = () => (
  <Icon>
    <path d="M9.25 1.75h-5v12.5h7.5v-10zM9.25 1.75v2.5h2.5" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);

export const MailIcon = () => (
  <Icon>
    <path d="M2 3.75h12v8.5H2zM2.25 4.25 8 8.75l5.75-4.5" />
  </Icon>
);

export const SpeechIcon = () => (
  <Icon>
    <path d="M2.25 3h11.5v8H7.5l-3 2.75V11H2.25z" />
  </Icon>
);

export const StarIcon = () => (
  <Icon>
    <path d="m8 1.9 1.85 3.9 4.25.55-3.1 2.95.8 4.2L8 11.45 4.2 13.5l.8-4.2-3.1-2.95 4.25-.55z" />
  </Icon>
);
