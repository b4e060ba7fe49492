import type { RefusedRecord, SourceRecord } from './imported-user.js';

/** Numbers of records. */
export interface ImportCounts {
  /** New users; in a dry run, those that would be new. */
  readonly imported: number;
  /**
   * Users whom an earlier import of the same records has created. They are only disabled, and their addresses confirmed, if the
   * record says so.
   */
  readonly present: number;
  /** Of `present`: users whom this import has disabled; in a dry run, those whom it would disable. */
  readonly disabled: number;
  /** Of `present`: the last enabled administrator, who stays enabled although the record disables the user. */
  readonly notDisabled: number;
  readonly refused: number;
  /** Records that are no users. */
  readonly ignored: number;
}

export interface ImportOptions {
  /** Checks everything and changes nothing. Default false. */
  readonly isDryRun?: boolean;
  /** Called for each refused record. `username` is what the record has, if it could be read. */
  readonly onRefused: (
    record: SourceRecord,
    refusal: RefusedRecord,
    username: string | undefined,
  ) => void;
  readonly onProgress?: (counts: ImportCounts) => void;
}
