interface UserLinkProps {
  readonly id: string;
  /** Absent if the page does not know it. */
  readonly name: string | undefined;
}

export function UserLink({ id, name }: UserLinkProps) {
  return (
    <a href={`#/users/${id}`} title={id}>
      {name ?? <span class="id">{id}</span>}
    </a>
  );
}
