/*
 * The protocol of the near cache (src/near-cache): a directory of the holders of each subject.
 *
 *   When a change has returned, no request that begins afterwards is answered from an older state. The same holds for a
 *   final state that was settled. And each change returns, even if every instance is killed.
 *
 * One subject. Up to two instances hold it, and two changes of it run at once, each from one of these instances or from
 * a third one. `value` counts the writes. A request is answered from memory, by a load that it joins, or by Redis.
 *
 * In the model are: loads and registrations, notes, moved holders, posts, messages and acknowledgements that are late or
 * lost, leases, renewals, closed, closing and missing inboxes, inboxes under a new id, the retired mark, scripts that run
 * again because no reply came, scripts that run late, one failover of the slot of the subject or of an inbox (what the
 * replica did not have is lost), a changer that crashes after any step, and settling.
 *
 * Time has no numbers. A lease may run out at any moment; and when a changer has waited for the length of a lease, leases
 * and renewals that began before the reply to its post are over. Not in the model: drift, the margin, clocks that are set,
 * sweeping by age (notes, registrations, inboxes), a second failover, the loss of what a replica had confirmed. A message
 * that comes after the wait has ended only makes an instance forget; it is left out.
 *
 * One search of everything would be too large, so a search selects parts:
 *   SHORT_INBOX      no inboxes: a holder that was told forgets at once. Leases, posts and messages are left out.
 *   SHORT_DIRECTORY  a load is one step, and so is the end of a change
 *   SHORT_RENEWALS   a renewal is one step
 *   MEMBERS=2        two instances hold the subject, and each makes a change; otherwise one holds it
 *   BY_A_THIRD       no holder makes a change
 *   ONE_CHANGE       the second change is left out
 *   CRASHES          the first change stops after any step
 *   SETTLES          a third instance loads a state that is final, and settles it (with SHORT_INBOX)
 *   ELSEWHERE        the data are not in the slot of the directory
 *   LATE_COPIES      a registration runs late
 *   SUBJECT_FAILS    a failover of the slot of the subject, and a change script that runs late
 *   INBOX_FAILS      a failover of the slot of the inbox, and a renewal that runs late
 *   INBOX_LOST       the inbox disappears
 *   NEW_IDS          the instance is restarted or leaves its inbox, and continues under a new id
 * What SHORT_INBOX leaves out, the other searches check: a holder that was heard dropped its value after the post, or had no lease then.
 *
 * A macro breaks one rule (spin -DNO_ACK). Each leads to an old answer:
 *   NO_ACK                    a change returns without waiting for the holders
 *   NO_LEASE                  memory is trusted for ever, so to wait for a silent holder proves nothing
 *   NO_FENCE                  a master that was replaced answers a request
 *   REGISTER_AFTER_READ       a load reads, and then registers
 *   REGISTRATION_NOT_DURABLE  a load is stored before the replica has the registration
 *   STORE_LATE                a load that was detached is stored
 *   SHARE_LATE                a request joins a load that was detached
 *   LOADS_KEPT                loads stay attached when an instance begins anew
 *   CHANGE_NOT_DURABLE        a change goes on before the replica has its write
 *   CLEAR_AT_END              holders stay in the directory, and are removed at the end
 *   TAKE_WITHOUT_UNION        a change ignores the holders in the note of the other
 *   OWN_LEFT_OUT              a change does not move the instance where it runs into its note
 *   NOTE_AFTER_WRITE          a change elsewhere writes, and then opens its note
 *   SECOND_RUN_WRITES         a change script that finds its own note open writes and moves again
 *   SECOND_RUN_MOVES          it does not write, but moves again
 *   DONE_TELLS_NOTHING        a change script that finds its own note done does not return the holders in the other
 *   FINISH_WHAT_WAS_NOT_SEEN  a change removes holders from a note that was written after it had looked
 *   SETTLE_LEAVES_UNWRITTEN   settling ignores the directory although there is an unwritten note
 *   POST_NOT_DURABLE          the wait begins before the replica has the post
 *   RENEWAL_NOT_DURABLE       a renewal counts before the replica has it
 *   EXTEND_BEFORE_APPLY       a renewal extends the lease, and then applies the messages
 *   LEASE_FROM_REPLY          a lease runs from the reply to the renewal, not from before it was sent
 *   LATE_RENEWAL_COUNTS       a late renewal stores its old number
 *   POSITION_FROM_CHANNEL     a message from the channel advances the position
 *   LAPSE_KEEPS               memory and loads survive the end of a lease
 *   ACK_BEFORE_APPLY          a message is acknowledged, and then applied
 *   ACK_NOT_EXACT             the acknowledgement of another message counts
 *   MISSING_IS_NOBODY         a change does not wait when there is no inbox
 *   CLOSING_IS_CLOSED         a change does not wait when another one has begun to close the inbox
 *   CLOSE_WITHOUT_COMPARING   a silent inbox is closed although its instance has renewed
 *   CLOSED_NOT_FENCED         a master that was replaced says that the inbox is closed
 *   CLOSED_BEFORE_DROP        an instance closes its own inbox, and then empties its memory
 *   RETIRED_BEFORE_DROP       an instance writes the retired mark, and then empties its memory
 *   RETIRED_BY_CHANGER        a changer that cannot post writes the retired mark
 * And one leads to a change that never returns:
 *   ONLY_ACKS                 a change waits for holders, however long
 */

#ifndef MEMBERS
#define MEMBERS 1
#endif

#define POSTERS 3
#define SETTLER 2
#define A_THIRD 7               /* a place without a member */

/* Sets of ids, notes and posters are bits. An inbox has an id, and so has the instance that opened it. */
#define IDS 2
#define BIT(n) (1 << (n))
#define IS_IN(set, n) ((set) & BIT(n))

#ifdef NEW_IDS
byte current;
bool hasInbox;                  /* under the new id */
#define OWNER(id) 0
#define ID(m) current
#else
#define OWNER(id) (id)
#define ID(m) (m)
#endif

/* A script: it has run, the replica has what it wrote. */
mtype = { no, ran, confirmed };

/* A written note without holders is done. */
mtype = { absent, unwritten, written };
typedef Subject {
  byte value;
  byte directory;
  mtype note[2] = absent;
  byte held[2]                  /* by note: its holders */
}

/* Closing: nobody can renew, but an instance may still have a lease. */
mtype = { missing, there, closing, closed };
typedef Inbox {
  mtype state = missing;
  byte sequence, position;
  byte message[2];              /* by poster: the sequence of its post, 0 if it is not there */
  byte renewed                  /* posters whose post returned an older renewal number */
}

typedef Instance {
  bool isTrusted = true;
  byte memory;                  /* 0 if empty, else the value + 1 */

  mtype load = no;              /* the registration */
  byte loaded;                  /* as memory */

  bool isRenewing;
  mtype renewal = no;
  bool isGone;                  /* the reply: begin anew, or messages up to `next` */
  byte told, next;
  byte position;
  byte applied;                 /* messages that came by the channel */
  bool hasLost                  /* a renewal without a reply, which may still run */
#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  ; bool isToForget
#endif
#if defined(STORE_LATE) || defined(SHARE_LATE)
  ; bool isDetached
#endif
}

/* A process that posts to the holders: a change or a settle. */
typedef Poster {
  byte at;                      /* the member where it runs */
  mtype step = no;              /* the script in the slot of the subject */
  byte taken;                   /* the holders that it returned */
  byte seen;                    /* the notes that were written then */
  byte toHear;
  mtype post[IDS] = no;
  mtype close[IDS] = no;
  byte sequence[IDS];
  byte oldLease, oldRenewal     /* the ids whose lease or renewal began before the reply to the post */
}

Subject subject, subjectReplica;
bool isSubjectBehind, isSubjectReplaced;

Inbox inbox[IDS], inboxReplica; /* of the first inbox */
bool isInboxBehind, isInboxReplaced, isLost;
byte retired;

byte elsewhere;                 /* the value, if it is not in the slot of the subject */

Instance instance[MEMBERS];
Poster poster[POSTERS];

byte rank[2];                   /* by change: the value that it wrote */
byte returned;                  /* the newest value whose change has returned, or that was settled */

#ifdef NO_FENCE
byte valueOnReplaced;
#endif
#ifdef CLOSED_NOT_FENCED
bool isClosedOnReplaced;
#endif
#ifdef SECOND_RUN_WRITES
bool hasReturned[2];
#endif
#ifdef ACK_NOT_EXACT
byte acks;
#endif

#define my instance[m]
#define mine poster[c]
#define other (1 - c)

#ifdef ELSEWHERE
#define VALUE elsewhere
#else
#define VALUE subject.value
#endif

/* ---- Redis ---- */

#ifdef SUBJECT_FAILS
#ifdef CHANGE_NOT_DURABLE
#define TOOK_IN_SUBJECT confirmed
#else
#define TOOK_IN_SUBJECT RAN_IN_SUBJECT
#endif
#define RAN_IN_SUBJECT (isSubjectReplaced -> confirmed : ran)
#else
#define RAN_IN_SUBJECT confirmed
#define TOOK_IN_SUBJECT confirmed
#endif
#ifdef INBOX_FAILS
#define RAN_IN_INBOX(id) ((isInboxReplaced || id != 0) -> confirmed : ran)
#else
#define RAN_IN_INBOX(id) confirmed
#endif

inline wroteSubject() {
#ifdef SUBJECT_FAILS
  isSubjectBehind = !isSubjectReplaced
#else
  skip
#endif
}
inline wroteInbox(id) {
#ifdef INBOX_FAILS
  isInboxBehind = isInboxBehind || (!isInboxReplaced && id == 0)
#else
  skip
#endif
}

inline copySubject(to, from) {
  to.value = from.value;
  to.directory = from.directory;
  to.note[0] = from.note[0];
  to.note[1] = from.note[1];
  to.held[0] = from.held[0];
  to.held[1] = from.held[1]
}
inline copyInbox(to, from) {
  to.state = from.state;
  to.sequence = from.sequence;
  to.position = from.position;
  to.message[0] = from.message[0];
  to.message[1] = from.message[1];
  to.renewed = from.renewed
}
inline move(what, from, to) {
  if
  :: what == from -> what = to
  :: else
  fi
}

/* ---- An instance ---- */

inline endLoad(m) {
#if defined(STORE_LATE) || defined(SHARE_LATE)
  my.isDetached = false;
#endif
  my.load = no;
  my.loaded = 0
}
inline forget(m) {
  my.memory = 0;
#if defined(STORE_LATE) || defined(SHARE_LATE)
  my.isDetached = (my.load != no)
#else
  endLoad(m)
#endif
}
/* `oldLease` is about leases that last. */
inline noOldLease(m) {
  poster[0].oldLease = poster[0].oldLease & ~BIT(ID(m));
  poster[1].oldLease = poster[1].oldLease & ~BIT(ID(m))
}
inline noOldRenewal(m) {
  poster[0].oldRenewal = poster[0].oldRenewal & ~BIT(ID(m));
  poster[1].oldRenewal = poster[1].oldRenewal & ~BIT(ID(m))
}
inline loseTrust(m) {
  my.isTrusted = false;
  noOldLease(m)
}
/* The lease ends. */
inline lapse(m) {
  loseTrust(m);
#ifndef LAPSE_KEEPS
  forget(m)
#endif
}
inline endReply(m) {
  my.renewal = no;
  my.isGone = false;
  my.told = 0;
  my.next = 0
}
inline endRenewal(m) {
  endReply(m);
  my.isRenewing = false;
  noOldRenewal(m)
}

inline tell(m, c) {
  if
  :: inbox[ID(m)].message[c] > my.position -> my.told = my.told | BIT(c)
  :: inbox[ID(m)].message[c] <= my.position -> inbox[ID(m)].message[c] = 0
  fi
}

inline wasRenewed(id, c) {
  if
  :: poster[c].post[id] != no -> inbox[id].renewed = inbox[id].renewed | BIT(c)
  :: else
  fi
}

/* The number is now higher than the one that the posts returned. */
inline storeRenewal(m) {
  inbox[ID(m)].position = my.position;
  wasRenewed(ID(m), 0);
  wasRenewed(ID(m), 1);
  wroteInbox(ID(m))
}

inline runRenewal(m) {
  if
  :: inbox[ID(m)].state == there && my.position <= inbox[ID(m)].sequence ->
     storeRenewal(m);
     my.told = 0;
     tell(m, 0);
     tell(m, 1);
     my.next = inbox[ID(m)].sequence;
     my.hasLost = false
#ifdef NEW_IDS
  :: inbox[ID(m)].state == missing && current == 1 && !hasInbox ->
     inbox[ID(m)].state = there;
     my.told = 0;
     my.next = 0
#endif
  :: else -> my.isGone = true
  fi;
  my.renewal = RAN_IN_INBOX(ID(m))
}

#ifdef RENEWAL_NOT_DURABLE
#define HAS_REPLY (my.renewal != no)
#else
#define HAS_REPLY (my.renewal == confirmed)
#endif

inline applyReply(m) {
  if
  :: my.told & ~my.applied -> forget(m)
  :: else
  fi;
  my.applied = my.applied & ~my.told;
  my.position = my.next
}
inline extend(m, c) {
  poster[c].oldLease = (poster[c].oldLease & ~BIT(ID(m))) | (poster[c].oldRenewal & BIT(ID(m)))
}
inline extendLease(m) {
#ifdef NEW_IDS
  hasInbox = (current == 1);
#endif
  my.isTrusted = true;
  extend(m, 0);
  extend(m, 1)
}
#ifdef INBOX_LOST
inline loseInbox() {
  isLost = true;
  inbox[0].state = missing;
  inbox[0].sequence = 0;
  inbox[0].position = 0;
  inbox[0].message[0] = 0;
  inbox[0].message[1] = 0;
  inbox[0].renewed = 0
}
#endif

inline closeOwn(id) {
  inbox[id].state = closed;
  inbox[id].position = inbox[id].sequence
}

inline beginAnew(m) {
  loseTrust(m);
#ifdef LOADS_KEPT
  my.memory = 0;
#else
  forget(m);
#endif
  endRenewal(m);
  my.position = 0;
  my.applied = 0;
  my.hasLost = false
}

inline heard(c, id) {
  mine.toHear = mine.toHear & ~BIT(id);
  mine.post[id] = no;
  mine.close[id] = no;
  mine.sequence[id] = 0;
  mine.oldLease = mine.oldLease & ~BIT(id);
  mine.oldRenewal = mine.oldRenewal & ~BIT(id);
  inbox[id].renewed = inbox[id].renewed & ~BIT(c)
#ifdef INBOX_FAILS
  ; if
  :: id == 0 -> inboxReplica.renewed = inboxReplica.renewed & ~BIT(c)
  :: else
  fi
#endif
}

#define HAS_LEASE(id) (OWNER(id) < MEMBERS && ID(OWNER(id)) == id && instance[OWNER(id)].isTrusted)
#define HAS_RENEWAL(id) (OWNER(id) < MEMBERS && ID(OWNER(id)) == id && instance[OWNER(id)].isRenewing)

/* The reply to the post has come. */
inline startWait(c, id) {
  if
  :: HAS_LEASE(id) -> mine.oldLease = mine.oldLease | BIT(id)
  :: else
  fi;
#ifndef LEASE_FROM_REPLY
  if
  :: HAS_RENEWAL(id) -> mine.oldRenewal = mine.oldRenewal | BIT(id)
  :: else
  fi
#endif
}

/* The position tells which messages are applied; until it is past this one, a renewal skips it. */
inline receive(m, c) {
#ifdef ACK_BEFORE_APPLY
  my.isToForget = true;
#else
  forget(m);
#endif
  if
  :: inbox[ID(m)].message[c] > my.position || (my.told & BIT(c)) -> my.applied = my.applied | BIT(c)
  :: else
  fi
#ifdef POSITION_FROM_CHANNEL
  ; if
  :: my.position < poster[c].sequence[ID(m)] -> my.position = poster[c].sequence[ID(m)]
  :: else
  fi
#endif
}
inline acknowledge(m, c) {
#ifdef ACK_NOT_EXACT
  acks = acks | BIT(ID(m))
#else
  heard(c, ID(m))
#endif
}

#ifdef REGISTRATION_NOT_DURABLE
#define HAS_REGISTERED (my.load != no)
#else
#define HAS_REGISTERED (my.load == confirmed)
#endif

proctype Member(byte m) {
  do
  /* A load: registers and reads; then it is stored. Elsewhere, it registers, and then reads. */
#ifdef SHORT_DIRECTORY
  :: d_step {
       my.isTrusted && my.memory == 0 ->
       subject.directory = subject.directory | BIT(ID(m));
       my.memory = VALUE + 1
     }
#elif defined(REGISTER_AFTER_READ)
  :: d_step {
       my.isTrusted && my.memory == 0 && my.load == no && my.loaded == 0 ->
       my.loaded = VALUE + 1
     }
  :: d_step {
       my.load == no && my.loaded != 0 ->
       subject.directory = subject.directory | BIT(ID(m));
       wroteSubject();
       my.load = RAN_IN_SUBJECT
     }
#else
  :: d_step {
       my.isTrusted && my.memory == 0 && my.load == no ->
       subject.directory = subject.directory | BIT(ID(m));
       wroteSubject();
#ifndef ELSEWHERE
       my.loaded = VALUE + 1;
#endif
       my.load = RAN_IN_SUBJECT
     }
#ifdef ELSEWHERE
  :: d_step { HAS_REGISTERED && my.loaded == 0 -> my.loaded = VALUE + 1 }
#endif
#endif
#ifndef SHORT_DIRECTORY
  :: d_step {
       HAS_REGISTERED && my.loaded != 0 ->
       if
#ifdef SHARE_LATE
       :: my.isTrusted && !my.isDetached -> my.memory = my.loaded
#else
       :: my.isTrusted -> my.memory = my.loaded
#endif
       :: else
       fi;
       endLoad(m)
     }
#endif
  /* A late copy of a registration. */
#ifdef LATE_COPIES
#ifdef NEW_IDS
  :: d_step { current == 1 && !IS_IN(subject.directory, 0) -> subject.directory = subject.directory | 1 }
#else
  :: d_step { !IS_IN(subject.directory, m) -> subject.directory = subject.directory | BIT(m); wroteSubject() }
#endif
#endif

#ifdef SHORT_INBOX
  :: d_step { my.memory != 0 || my.load != no -> forget(m) }
#else
#ifndef NO_LEASE
  :: d_step { my.isTrusted -> lapse(m) }
#endif

  /* A renewal is sent; its script runs; its reply is read, or lost. */
#ifdef SHORT_RENEWALS
  :: d_step {
       runRenewal(m);
       if
       :: my.isGone -> beginAnew(m)
       :: else -> applyReply(m); extendLease(m); endRenewal(m)
       fi
     }
#else
  :: d_step { !my.isRenewing -> my.isRenewing = true }
  :: d_step { my.isRenewing && my.renewal == no -> runRenewal(m) }
#ifdef EXTEND_BEFORE_APPLY
  :: d_step {
       HAS_REPLY && !my.isGone ->
       my.isToForget = (my.told != 0);
       my.position = my.next;
       extendLease(m);
       endRenewal(m)
     }
#else
  :: d_step { HAS_REPLY && !my.isGone -> applyReply(m); extendLease(m); endRenewal(m) }
#endif
  :: d_step { my.isRenewing && my.renewal != no && !my.isGone -> endRenewal(m) }
#endif
#ifdef INBOX_FAILS
  /* The instance gives it up, and it runs late. After a newer one, it would do nothing. */
  :: d_step { my.isRenewing && my.renewal == no -> endRenewal(m); my.hasLost = true }
  :: d_step {
       my.hasLost && inbox[ID(m)].state == there && my.position <= inbox[ID(m)].sequence ->
       storeRenewal(m);
       my.hasLost = false
     }
#endif
#ifdef NEW_IDS
  :: d_step { my.isGone && current == 0 -> beginAnew(m); current = 1 }
  :: d_step { my.isGone && current == 1 -> beginAnew(m) } -> break
  /* Restarted, or its inbox is out of reach. */
  :: d_step { current == 0 -> beginAnew(m); current = 1 }
#ifdef RETIRED_BEFORE_DROP
  :: d_step { retired == 0 -> retired = 1 }
#else
  :: d_step { current == 1 && retired == 0 -> retired = 1 }
#endif
  :: d_step { current == 1 && inbox[0].state == there -> closeOwn(0) }
#else
  :: d_step { my.isGone -> beginAnew(m) } -> break
#endif
#ifdef LATE_RENEWAL_COUNTS
  :: d_step { inbox[ID(m)].renewed != 0 -> inbox[ID(m)].renewed = 0 }
#endif

#ifdef CLOSED_BEFORE_DROP
  :: d_step { inbox[ID(m)].state == there -> closeOwn(ID(m)) }
#endif
#ifdef INBOX_LOST
  :: d_step { !isLost -> loseInbox() }
#endif

  /*
   * A message comes, perhaps before the reply to its post, perhaps again, perhaps never. The acknowledgement comes, or is
   * lost.
   */
  :: d_step { IS_IN(poster[0].toHear, ID(m)) -> receive(m, 0); acknowledge(m, 0) }
  :: d_step { IS_IN(poster[1].toHear, ID(m)) -> receive(m, 1); acknowledge(m, 1) }
  :: d_step { IS_IN(poster[0].toHear, ID(m)) -> receive(m, 0) }
  :: d_step { IS_IN(poster[1].toHear, ID(m)) -> receive(m, 1) }
#endif

#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  :: d_step { my.isToForget -> forget(m); my.isToForget = false }
#endif

  /* Killed. Its registration and its inbox stay. */
  :: d_step { beginAnew(m) } -> break
  od
}

/* ---- Announcements ---- */

inline runPost(c, id) {
  if
  :: inbox[id].state == closed -> heard(c, id)
#ifdef CLOSED_NOT_FENCED
  :: isClosedOnReplaced -> heard(c, id)
#endif
#ifdef MISSING_IS_NOBODY
  :: inbox[id].state == missing -> heard(c, id)
#endif
#ifdef CLOSING_IS_CLOSED
  :: inbox[id].state == closing -> heard(c, id)
#endif
  :: else ->
     move(inbox[id].state, missing, closing);
     inbox[id].sequence++;
     inbox[id].message[c] = inbox[id].sequence;
     inbox[id].renewed = inbox[id].renewed & ~BIT(c);
     mine.sequence[id] = inbox[id].sequence;
#ifdef POST_NOT_DURABLE
     mine.post[id] = confirmed;
#else
     mine.post[id] = RAN_IN_INBOX(id);
#endif
     wroteInbox(id);
     if
     :: mine.post[id] == confirmed -> startWait(c, id)
     :: else
     fi
  fi
}

/* After the length of a lease. A reply to an old renewal that comes now might as well be lost. */
inline runClose(c, id) {
#ifndef NO_LEASE
  if
  :: IS_IN(mine.oldLease, id) -> lapse(OWNER(id))
  :: else
  fi;
  if
  :: IS_IN(mine.oldRenewal, id) -> endRenewal(OWNER(id))
  :: else
  fi;
#endif
  if
  :: inbox[id].state == closing -> inbox[id].state = closed; wroteInbox(id)
#ifdef CLOSE_WITHOUT_COMPARING
  :: inbox[id].state == there -> inbox[id].state = closed; wroteInbox(id)
#else
  :: inbox[id].state == there && !IS_IN(inbox[id].renewed, c) -> inbox[id].state = closed; wroteInbox(id)
#endif
  :: else
  fi;
  mine.close[id] = RAN_IN_INBOX(id);
  if
  :: mine.close[id] == confirmed -> heard(c, id)
  :: else
  fi
}

#define IS_TO_HEAR(id) IS_IN(mine.toHear, id)

inline announce(c, id) {
  if
#ifdef SHORT_INBOX
  :: d_step { IS_TO_HEAR(id) -> forget(OWNER(id)); heard(c, id) }
#else
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == no -> runPost(c, id) }
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == confirmed && inbox[id].position >= mine.sequence[id] -> heard(c, id) }
#ifndef ONLY_ACKS
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == confirmed && mine.close[id] == no -> runClose(c, id) }
  :: d_step { IS_TO_HEAR(id) && mine.close[id] == confirmed -> heard(c, id) }
#endif
#ifdef NEW_IDS
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == no && IS_IN(retired, id) -> heard(c, id) }
#endif
#ifdef ACK_NOT_EXACT
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == confirmed && IS_IN(acks, id) -> heard(c, id); acks = acks & ~BIT(id) }
#endif
#endif
  fi
}

inline dropOwn(c) {
  if
  :: mine.at < MEMBERS -> forget(mine.at); mine.toHear = mine.taken & ~BIT(ID(mine.at))
  :: else -> mine.toHear = mine.taken
  fi
}

/* So that what is over makes no difference between states. */
inline endPoster(c) {
  heard(c, 0);
  heard(c, 1);
  mine.taken = 0;
  mine.seen = 0;
  mine.step = no
}

/* ---- A change ---- */

inline moveHolders(c) {
#ifdef OWN_LEFT_OUT
  subject.held[c] = subject.held[c] | (subject.directory & ~(mine.at < MEMBERS -> BIT(ID(mine.at)) : 0));
#else
  subject.held[c] = subject.held[c] | subject.directory;
#endif
#ifndef CLEAR_AT_END
  subject.directory = 0
#endif
}

/* A run that finds the note is a second run: the note and the write are one script. */
inline writeInSubject(c) {
  if
  :: subject.note[c] == absent ->
     subject.note[c] = written;
     subject.value++;
     rank[c] = subject.value;
     moveHolders(c)
#ifdef SECOND_RUN_WRITES
  :: subject.note[c] == written && subject.held[c] != 0 ->
     if
     :: hasReturned[c] -> subject.value = rank[c]
     :: else -> subject.value++; rank[c] = subject.value
     fi;
     moveHolders(c)
#endif
#ifdef SECOND_RUN_MOVES
  :: subject.note[c] == written && subject.held[c] != 0 -> moveHolders(c)
#endif
  :: else
  fi;
  wroteSubject()
}

inline takeElsewhere(c) {
  if
  :: subject.note[c] != written ->
     subject.note[c] = written;
     moveHolders(c)
#ifdef SECOND_RUN_MOVES
  :: subject.note[c] == written && subject.held[c] != 0 -> moveHolders(c)
#endif
  :: else
  fi;
  wroteSubject()
}

/* Writes always, or the confirmation would mean nothing. */
inline reply(c) {
#ifdef TAKE_WITHOUT_UNION
  mine.taken = subject.held[c];
  mine.seen = BIT(c);
#else
  mine.taken = subject.held[0] | subject.held[1];
  mine.seen = BIT(c) | (subject.note[other] == written -> BIT(other) : 0);
#endif
  mine.step = TOOK_IN_SUBJECT;
  wroteSubject()
}

#ifdef DONE_TELLS_NOTHING
inline replyAgain(c) {
  if
  :: subject.held[c] == 0 -> mine.taken = 0; mine.seen = 0; mine.step = RAN_IN_SUBJECT
  :: else -> reply(c)
  fi
}
#else
#define replyAgain(c) reply(c)
#endif

inline finishNote(c, n) {
  if
#ifdef FINISH_WHAT_WAS_NOT_SEEN
  :: mine.taken != 0 && subject.note[n] == written -> subject.held[n] = subject.held[n] & ~mine.taken
#else
  :: IS_IN(mine.seen, n) -> subject.held[n] = subject.held[n] & ~mine.taken
#endif
  :: else
  fi
}
inline finish(c) {
  finishNote(c, 0);
  finishNote(c, 1);
  wroteSubject()
}

#ifdef CRASHES
#define CRASH :: c == 0 -> goto crashed
#else
#define CRASH
#endif

inline raise(what) {
  if
  :: returned < what -> returned = what
  :: else
  fi
}

inline begin(c) {
  move(subject.note[c], absent, unwritten);
  mine.step = RAN_IN_SUBJECT;
  wroteSubject()
}

proctype Change(byte c) {
#ifdef ELSEWHERE
#ifndef NOTE_AFTER_WRITE
  do
  :: d_step { mine.step == no -> begin(c) }
  :: d_step { mine.step == confirmed -> mine.step = no } -> break
  CRASH
  od;
#endif
  if
  :: d_step { elsewhere++; rank[c] = elsewhere }
  CRASH
  fi;
#endif
  do
#ifdef ELSEWHERE
  :: d_step { mine.step == no -> takeElsewhere(c); reply(c) }
#else
  :: d_step { mine.step == no -> writeInSubject(c); reply(c) }
#endif
#ifdef DONE_TELLS_NOTHING
  :: d_step { mine.step == confirmed -> replyAgain(c) }
#elif !defined(SHORT_DIRECTORY)
  :: d_step { mine.step == confirmed -> reply(c) }     /* no reply came, so it is sent once more */
#endif
  :: d_step { mine.step == confirmed -> dropOwn(c) } -> break
  CRASH
  od;
#ifndef NO_ACK
  do
  :: mine.toHear == 0 -> break
  :: announce(c, 0)
#if MEMBERS > 1 || defined(NEW_IDS)
  :: announce(c, 1)
#endif
#ifdef RETIRED_BY_CHANGER
  :: d_step { IS_TO_HEAR(0) && mine.post[0] == no -> retired = 1 }
#endif
  CRASH
  od;
#endif
  atomic {
    raise(rank[c]);
#ifdef SECOND_RUN_WRITES
    hasReturned[c] = true;
#endif
#ifdef SHORT_DIRECTORY
    finish(c);
#endif
    heard(c, 0);
    heard(c, 1)
#ifdef CLEAR_AT_END
    ; subject.directory = subject.directory & ~mine.taken
#endif
  };
#ifndef SHORT_DIRECTORY
  /* May be late, and so as good as lost. */
  d_step { finish(c); endPoster(c) };
#endif
#ifdef CRASHES
crashed:
#endif
  atomic { endPoster(c) }
}

#ifdef SETTLES
inline lookForNotes(c) {
  mine.taken = subject.held[0] | subject.held[1];
#ifndef SETTLE_LEAVES_UNWRITTEN
  if
  :: subject.note[0] == unwritten || subject.note[1] == unwritten -> mine.taken = mine.taken | subject.directory
  :: else
  fi;
#endif
  mine.seen = (subject.note[0] == written -> 1 : 0) | (subject.note[1] == written -> 2 : 0);
  mine.step = RAN_IN_SUBJECT;
  wroteSubject()
}

proctype Settle(byte c) {
  byte final;
end:
#ifdef ELSEWHERE
  d_step { VALUE != 0 -> final = VALUE };
#else
  d_step { VALUE != 0 && !isSubjectBehind -> final = VALUE };
#endif
  do
  :: d_step { mine.step == no -> lookForNotes(c) }
  :: d_step { mine.step == confirmed -> dropOwn(c) } -> break
  od;
  do
  :: mine.toHear == 0 -> break
  :: announce(c, 0)
#if MEMBERS > 1 || defined(NEW_IDS)
  :: announce(c, 1)
#endif
  od;
  atomic { raise(final); final = 0 };
  d_step { finish(c); endPoster(c) }
}
#endif

/* ---- Failovers ---- */

#ifdef SUBJECT_FAILS
Subject noSubject;
/* The replica catches up. Or it takes over, and a caller without a confirmation sends once more. */
proctype SubjectSlot() {
end:
  do
  :: d_step {
       isSubjectBehind ->
       copySubject(subjectReplica, subject);
       move(instance[0].load, ran, confirmed);
       move(poster[0].step, ran, confirmed);
       move(poster[1].step, ran, confirmed);
#ifdef SETTLES
       move(poster[2].step, ran, confirmed);
#endif
       isSubjectBehind = false
     }
  :: d_step {
       !isSubjectReplaced ->
#ifdef NO_FENCE
       valueOnReplaced = subject.value;
#endif
       copySubject(subject, subjectReplica);
       copySubject(subjectReplica, noSubject);
       if
       :: instance[0].load == ran -> endLoad(0)
       :: else
       fi;
       move(poster[0].step, ran, no);
       move(poster[1].step, ran, no);
#ifdef SETTLES
       move(poster[2].step, ran, no);
#endif
       isSubjectBehind = false;
       isSubjectReplaced = true
     }
  od
}
#endif

#ifdef INBOX_FAILS
Inbox noInbox;
inline confirmPosts(c) {
  if
  :: mine.post[0] == ran -> mine.post[0] = confirmed; startWait(c, 0)
  :: else
  fi;
  move(mine.close[0], ran, confirmed)
}
inline losePosts(c) {
  move(mine.post[0], ran, no);
  move(mine.close[0], ran, no)
}
proctype InboxSlot() {
end:
  do
  :: d_step {
       isInboxBehind ->
       copyInbox(inboxReplica, inbox[0]);
       move(instance[0].renewal, ran, confirmed);
       confirmPosts(0);
       confirmPosts(1);
       isInboxBehind = false
     }
  :: d_step {
       !isInboxReplaced ->
#ifdef CLOSED_NOT_FENCED
       isClosedOnReplaced = (inbox[0].state == closed);
#endif
       copyInbox(inbox[0], inboxReplica);
       copyInbox(inboxReplica, noInbox);
       if
       :: instance[0].renewal == ran -> endReply(0)
       :: else
       fi;
       losePosts(0);
       losePosts(1);
       isInboxBehind = false;
       isInboxReplaced = true
     }
  od
}
#endif

#if defined(SECOND_RUN_WRITES) || defined(SECOND_RUN_MOVES) || defined(SUBJECT_FAILS)
/* The script of the first change runs late, perhaps after a crash or a failover. */
proctype LateCopy() {
end:
#ifdef ELSEWHERE
  d_step { subject.note[0] == written -> takeElsewhere(0) }
#else
  d_step { rank[0] != 0 -> writeInSubject(0) }
#endif
}
#endif

/* ---- What is asserted ---- */

#ifdef STORE_LATE
#define IS_SHARED(m) (instance[m].load != no && !instance[m].isDetached)
#else
#define IS_SHARED(m) (instance[m].load != no)
#endif
#define IS_OLD(m) (instance[m].isTrusted && ((instance[m].memory != 0 && instance[m].memory <= returned) \
  || (IS_SHARED(m) && instance[m].loaded != 0 && instance[m].loaded <= returned)))

proctype Request() {
end:
  do
  :: d_step {
       (VALUE < returned || IS_OLD(0)
#ifdef NO_FENCE
       || (isSubjectReplaced && valueOnReplaced < returned)
#endif
#if MEMBERS > 1
       || IS_OLD(1)
#endif
       ) -> assert(false)
     }
  od
}

/* ---- What has to be possible, or else the search proves nothing ---- */

#ifdef WITNESS
/* pan lists the statements that it never reached. */
#define SEEN(condition) atomic { (condition) -> skip }
#define ARE_BOTH_TAKING (poster[0].taken != 0 && poster[1].taken != 0)
#define asked instance[0]

proctype Witness() {
end:
  do
  /* An instance remembers what the last change wrote. */
#ifdef ONE_CHANGE
  :: SEEN(returned == 1 && asked.isTrusted && asked.memory == 2)
#else
  :: SEEN(returned == 2 && asked.isTrusted && asked.memory == 3)
  /* A second change waits for a holder that only the note of the first has; both may wait for the same. */
#if !defined(SHORT_DIRECTORY)
  :: SEEN(IS_IN(poster[0].toHear, 0) && IS_IN(poster[1].toHear, 0) && asked.memory == 1 && subject.directory == 0)
#endif
#endif
#if MEMBERS > 1
  :: SEEN(poster[0].at == 0 && poster[1].at == 1 && poster[0].toHear == 2 && poster[1].toHear == 1)
#endif
#ifdef SETTLES
  /* Somebody settles a change that has crashed, or is under way. */
  :: SEEN(poster[0].step == no && poster[2].toHear == 1 && asked.memory == 1)
  :: SEEN(poster[0].toHear == 1 && poster[2].toHear == 1)
#ifdef ELSEWHERE
  :: SEEN(subject.note[0] == unwritten && poster[2].toHear == 1 && asked.memory == 1)
#endif
#endif
#ifdef SUBJECT_FAILS
  /* A failover loses a change; a change has run, although its changer knows nothing of it. */
  :: SEEN(isSubjectReplaced && rank[0] != 0 && subject.note[0] == absent)
  :: SEEN(isSubjectReplaced && subject.note[0] == written && poster[0].step == no && subject.held[0] != 0)
#endif
#ifndef SHORT_INBOX
  /* A change waits for an instance that trusts the old value, has renewed, has applied, has left, or was closed. */
  :: SEEN(IS_IN(poster[0].oldLease, 0) && asked.memory == 1)
  :: SEEN(poster[0].post[0] == confirmed && !IS_IN(poster[0].oldLease, 0) && asked.isTrusted)
  :: SEEN(poster[0].post[0] == confirmed && inbox[0].position >= poster[0].sequence[0])
  :: SEEN(IS_IN(poster[0].toHear, 0) && inbox[0].state == closed)
  /* The reply to an old renewal would bring trust. */
  :: SEEN(IS_IN(poster[0].oldRenewal, 0) && asked.renewal == confirmed && asked.told == 0)
#endif
#ifdef INBOX_FAILS
  /* A failover loses a post that was received, and another one gets its sequence. */
  :: SEEN(isInboxReplaced && poster[0].post[0] == no && IS_IN(asked.applied, 0) && inbox[0].message[1] == 1)
  :: SEEN(isInboxReplaced && asked.position == 2 && asked.hasLost)
#endif
#ifdef INBOX_LOST
  :: SEEN(inbox[0].state == closing && asked.isTrusted && asked.memory == 1 && poster[0].toHear != 0 && poster[1].toHear != 0)
#endif
#ifdef NEW_IDS
  /* Under the new id, an instance remembers the old value and is asked to forget it; the old id is in the directory, too. */
  :: SEEN(current == 1 && asked.isTrusted && asked.memory == 1 && poster[0].toHear == 3)
  :: SEEN(retired != 0 && IS_IN(poster[0].toHear, 0))
#endif
  od
}
#endif

init {
  atomic {
    inbox[0].state = there;
#if MEMBERS > 1
    inbox[1].state = there;
#endif
    inboxReplica.state = there;
#if defined(BY_A_THIRD) || defined(ACK_NOT_EXACT) /* an acknowledgement comes to the instance that asked */
    poster[0].at = A_THIRD;
    poster[1].at = A_THIRD;
#else
    if
    :: poster[0].at = 0
#if MEMBERS == 1
    :: poster[0].at = A_THIRD
#endif
    fi;
#ifndef ONE_CHANGE
    if
    :: poster[1].at = 0
#if MEMBERS > 1
    :: poster[1].at = 1
#else
    :: poster[1].at = A_THIRD
#endif
    fi;
#endif
#endif
#ifdef SETTLES
    if
#ifdef ONE_CHANGE
    :: poster[SETTLER].at = 0
#endif
    :: poster[SETTLER].at = A_THIRD
    fi;
#endif
    run Member(0);
#if MEMBERS > 1
    run Member(1);
#endif
#ifdef SUBJECT_FAILS
    run SubjectSlot();
#endif
#ifdef INBOX_FAILS
    run InboxSlot();
#endif
#if defined(SECOND_RUN_WRITES) || defined(SECOND_RUN_MOVES) || defined(SUBJECT_FAILS)
    run LateCopy();
#endif
    run Request();
#ifdef WITNESS
    run Witness();
#endif
    run Change(0)
#ifndef ONE_CHANGE
    ; run Change(1)
#endif
#ifdef SETTLES
    ; run Settle(SETTLER)
#endif
  }
}
