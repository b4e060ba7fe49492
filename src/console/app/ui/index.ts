export { useConfirmation, type Question } from './confirm';
export { Choices, Field, Form, PasswordField, Select, useAction } from './form';
export { Pager } from './pager';
export { Dialog, Done, ProblemNotice, Section } from './parts';
export { needsProof } from './proof';
export { ProofForm, passkeyProof } from './proof-form';
export { Reauthentication } from './reauthentication';
export { Table, type Row } from './table';
export { UserLink } from './user-link';
