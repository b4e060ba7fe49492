#ifndef MEMBERS
#define MEMBERS 1
#endif

#ifdef SETTLES
#define POSTERS 3
#else
#define POSTERS 2
#endif
#define SETTLER 2
#define A_THIRD 7

#define bit_(n) (1 << (n))
#define IDS 2

#ifdef NEW_IDS
#define OWNER(id) 0
#define ID(m) current
byte current;
bool hasInbox;
#else
#define OWNER(id) (id)
#define ID(m) (m)
#endif

/* A script: its effect, and the confirmation that the replica has it. */
mtype = { no, ran, confirmed };

mtype = { absent, unwritten, written };
typedef Subject {
  byte value;                   /* 0, and one more with each write */
  byte directory;               /* ids, as bits */
  mtype note[2] = absent;
  byte held[2]                  /* ids in the note */
}

mtype = { missing, there, closing, closed };
typedef Inbox {
  mtype state = missing;
  byte sequence, position;
  byte message[POSTERS];        /* sequence of the announcement, 0 if it is not there */
  byte renewed                  /* posters whose post returned an older renewal number, as bits */
}

typedef Instance {
  bool isTrusted = true;
  byte memory;                  /* 0 if empty, else the value + 1 */

  mtype load = no;              /* of the registration */
  byte loaded;                  /* as memory */

  bool isRenewing;              /* sent */
  mtype renewal = no;
  bool isGone;                  /* what the reply says */
  byte told, next;
  byte position;
  byte applied;                 /* from the channel */
  bool hasLost                  /* a renewal without a reply may still run */
#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  ; bool isToForget
#endif
#if defined(STORE_LATE) || defined(SHARE_LATE)
  ; bool isDetached
#endif
}

typedef Poster {
  byte at;                      /* the instance where it runs */
  mtype step = no;
  byte taken;                   /* ids that it has to hear */
  byte seen;                    /* notes that were written then, as bits */
  byte toHear;
  mtype post[IDS] = no;
  mtype close[IDS] = no;
  byte sequence[IDS];
  byte oldLease, oldRenewal     /* ids with a lease, or a renewal, that began before the reply to the post */
}

Subject subject, subjectReplica;
bool isSubjectBehind, isSubjectReplaced;
Inbox inbox[IDS];
Inbox inboxReplica;
bool isInboxBehind, isInboxReplaced;
bool isLost;
#ifdef CLOSED_NOT_FENCED
bool isClosedOnReplaced;
#endif
#ifdef NO_FENCE
byte valueOnReplaced;
#endif
byte retired;
byte elsewhere;
Instance instance[MEMBERS];
Poster poster[POSTERS];
byte rank[2];
byte returned;
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
#ifdef SETTLES
  to.message[2] = from.message[2];
#endif
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
inline noOldLease(m) {
  poster[0].oldLease = poster[0].oldLease & ~bit_(ID(m));
  poster[1].oldLease = poster[1].oldLease & ~bit_(ID(m));
#ifdef SETTLES
  poster[2].oldLease = poster[2].oldLease & ~bit_(ID(m));
#endif
}
inline noOldRenewal(m) {
  poster[0].oldRenewal = poster[0].oldRenewal & ~bit_(ID(m));
  poster[1].oldRenewal = poster[1].oldRenewal & ~bit_(ID(m));
#ifdef SETTLES
  poster[2].oldRenewal = poster[2].oldRenewal & ~bit_(ID(m));
#endif
}
inline loseTrust(m) {
  my.isTrusted = false;
  noOldLease(m)
}
/* Sent again: whoever gets no reply does not know whether it ran. */
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

#define IS_IN(set, n) ((set) & bit_(n))

inline tell(m, c) {
  if
  :: inbox[ID(m)].message[c] > my.position -> my.told = my.told | bit_(c)
  :: inbox[ID(m)].message[c] <= my.position -> inbox[ID(m)].message[c] = 0
  fi
}

inline wasRenewed(id, c) {
  if
  :: poster[c].post[id] != no -> inbox[id].renewed = inbox[id].renewed | bit_(c)
  :: else
  fi
}

inline storeRenewal(m) {
  inbox[ID(m)].position = my.position;
  wasRenewed(ID(m), 0);
  wasRenewed(ID(m), 1);
#ifdef SETTLES
  wasRenewed(ID(m), 2);
#endif
  wroteInbox(ID(m))
}

inline runRenewal(m) {
  if
  :: inbox[ID(m)].state == there && my.position <= inbox[ID(m)].sequence ->
     storeRenewal(m);
     my.told = 0;
     tell(m, 0);
     tell(m, 1);
#ifdef SETTLES
     tell(m, 2);
#endif
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
  poster[c].oldLease = (poster[c].oldLease & ~bit_(ID(m))) | (poster[c].oldRenewal & bit_(ID(m)))
}
inline extendLease(m) {
#ifdef NEW_IDS
  hasInbox = (current == 1);
#endif
  my.isTrusted = true;
  extend(m, 0);
  extend(m, 1);
#ifdef SETTLES
  extend(m, 2)
#endif
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
  mine.toHear = mine.toHear & ~bit_(id);
  mine.post[id] = no;
  mine.close[id] = no;
  mine.sequence[id] = 0;
  mine.oldLease = mine.oldLease & ~bit_(id);
  mine.oldRenewal = mine.oldRenewal & ~bit_(id);
  inbox[id].renewed = inbox[id].renewed & ~bit_(c)
#ifdef INBOX_FAILS
  ; if
  :: id == 0 -> inboxReplica.renewed = inboxReplica.renewed & ~bit_(c)
  :: else
  fi
#endif
}

#define HAS_LEASE(id) (OWNER(id) < MEMBERS && ID(OWNER(id)) == id && instance[OWNER(id)].isTrusted)
#define HAS_RENEWAL(id) (OWNER(id) < MEMBERS && ID(OWNER(id)) == id && instance[OWNER(id)].isRenewing)

inline startWait(c, id) {
  if
  :: HAS_LEASE(id) -> mine.oldLease = mine.oldLease | bit_(id)
  :: else
  fi;
#ifndef LEASE_FROM_REPLY
  if
  :: HAS_RENEWAL(id) -> mine.oldRenewal = mine.oldRenewal | bit_(id)
  :: else
  fi
#endif
}

inline receive(m, c) {
#ifdef ACK_BEFORE_APPLY
  my.isToForget = true;
#else
  forget(m);
#endif
  if
  :: inbox[ID(m)].message[c] > my.position || (my.told & bit_(c)) -> my.applied = my.applied | bit_(c)
  :: else
  fi;
#ifdef POSITION_FROM_CHANNEL
  if
  :: my.position < poster[c].sequence[ID(m)] -> my.position = poster[c].sequence[ID(m)]
  :: else
  fi;
#endif
  skip
}
inline acknowledge(m, c) {
#ifdef ACK_NOT_EXACT
  acks = acks | bit_(ID(m))
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
  /* A load: registered, with the value; then stored. */
#ifdef SHORT_LOADS
  :: d_step {
       my.isTrusted && my.memory == 0 ->
       subject.directory = subject.directory | bit_(ID(m));
       my.memory = VALUE + 1
     }
#elif defined(REGISTER_AFTER_READ)
  :: d_step {
       my.isTrusted && my.memory == 0 && my.load == no && my.loaded == 0 ->
       my.loaded = VALUE + 1
     }
  :: d_step {
       my.load == no && my.loaded != 0 ->
       subject.directory = subject.directory | bit_(ID(m));
       wroteSubject();
       my.load = RAN_IN_SUBJECT
     }
#else
  :: d_step {
       my.isTrusted && my.memory == 0 && my.load == no ->
       subject.directory = subject.directory | bit_(ID(m));
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
#ifndef SHORT_LOADS
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
#ifdef LATE_COPIES
#ifdef NEW_IDS
  :: d_step { current == 1 && !IS_IN(subject.directory, 0) -> subject.directory = subject.directory | 1 }
#else
  :: d_step { !IS_IN(subject.directory, m) -> subject.directory = subject.directory | bit_(m); wroteSubject() }
#endif
#endif

#ifdef TOLD_AT_ONCE
  :: d_step { my.memory != 0 || my.load != no -> forget(m) }
#else
#ifndef NO_LEASE
  :: d_step { my.isTrusted -> loseTrust(m); forget(m) }
#endif

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
  :: d_step { my.isRenewing && my.renewal == no -> endRenewal(m); my.hasLost = true }
  :: d_step { my.hasLost && inbox[ID(m)].state == there && my.position <= inbox[ID(m)].sequence -> storeRenewal(m); my.hasLost = false }
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
  :: d_step { current == 1 && inbox[0].state == there -> inbox[0].state = closed; inbox[0].position = inbox[0].sequence }
#else
  :: d_step { my.isGone -> beginAnew(m) } -> break
#endif
#ifdef LATE_RENEWAL_COUNTS
  :: d_step { inbox[ID(m)].renewed != 0 -> inbox[ID(m)].renewed = 0 }
#endif

#ifdef INBOX_LOST
  :: d_step { !isLost -> loseInbox() }
#endif

  /* A message comes, and the acknowledgement comes, or is lost. */
  :: d_step { IS_IN(poster[0].toHear, ID(m)) -> receive(m, 0); acknowledge(m, 0) }
  :: d_step { IS_IN(poster[1].toHear, ID(m)) -> receive(m, 1); acknowledge(m, 1) }
#ifndef NO_LOST_ACKS
  :: d_step { IS_IN(poster[0].toHear, ID(m)) -> receive(m, 0) }
  :: d_step { IS_IN(poster[1].toHear, ID(m)) -> receive(m, 1) }
#endif
#ifdef SETTLES
  :: d_step { IS_IN(poster[2].toHear, ID(m)) -> receive(m, 2); acknowledge(m, 2) }
#endif

#endif

#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  :: d_step { my.isToForget -> forget(m); my.isToForget = false }
#endif

  /* Killed. */
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
     inbox[id].renewed = inbox[id].renewed & ~bit_(c);
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

inline runClose(c, id) {
#ifndef NO_LEASE
  if
  :: IS_IN(mine.oldLease, id) -> loseTrust(OWNER(id)); forget(OWNER(id))
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
#ifdef TOLD_AT_ONCE
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
  :: d_step { IS_TO_HEAR(id) && mine.post[id] == confirmed && IS_IN(acks, id) -> heard(c, id); acks = acks & ~bit_(id) }
#endif
#endif
  fi
}

inline dropOwn(c) {
  if
  :: mine.at < MEMBERS -> forget(mine.at); mine.toHear = mine.taken & ~bit_(ID(mine.at))
  :: else -> mine.toHear = mine.taken
  fi
}

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
  subject.held[c] = subject.held[c] | (subject.directory & ~(mine.at < MEMBERS -> bit_(ID(mine.at)) : 0));
#else
  subject.held[c] = subject.held[c] | subject.directory;
#endif
#ifndef CLEAR_AT_END
  subject.directory = 0
#endif
}

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

inline reply(c) {
#ifdef TAKE_WITHOUT_UNION
  mine.taken = subject.held[c];
  mine.seen = bit_(c);
#else
  mine.taken = subject.held[0] | subject.held[1];
  mine.seen = bit_(c) | (subject.note[other] == written -> bit_(other) : 0);
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
#elif !defined(SHORT_LOADS)
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
#ifdef SHORT_LOADS
    finish(c);
#endif
    heard(c, 0);
    heard(c, 1)
#ifdef CLEAR_AT_END
    ; subject.directory = subject.directory & ~mine.taken
#endif
  };
#ifndef SHORT_LOADS
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
#ifdef SETTLES
       confirmPosts(2);
#endif
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
#ifdef SETTLES
       losePosts(2);
#endif
       isInboxBehind = false;
       isInboxReplaced = true
     }
  od
}
#endif

#if defined(SECOND_RUN_WRITES) || defined(SECOND_RUN_MOVES) || defined(SUBJECT_FAILS)
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

init {
  atomic {
    inbox[0].state = there;
#if MEMBERS > 1
    inbox[1].state = there;
#endif
    inboxReplica.state = there;
    instance[0].position = 0;
#ifdef BY_OTHERS
    poster[0].at = A_THIRD;
    poster[1].at = A_THIRD;
#else
    if
    :: poster[0].at = 0
#if MEMBERS == 1
    :: poster[0].at = A_THIRD
#endif
    fi;
    if
    :: poster[1].at = 0
#if MEMBERS > 1
    :: poster[1].at = 1
#else
    :: poster[1].at = A_THIRD
#endif
    fi;
#endif
#ifdef SETTLES
    poster[2].at = A_THIRD;
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
    run Change(0)
#ifndef ONE_CHANGE
    ; run Change(1)
#endif
#ifdef SETTLES
    ; run Settle(SETTLER)
#endif
  }
}
