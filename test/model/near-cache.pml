/*
 * The protocol of the near cache (src/near-cache), for one change of one subject from `old` to `new`:
 *
 *   When the change has returned, no request that begins afterwards is answered with the old value.
 *   And it does return, even if every instance is killed.
 *
 * Two instances remember the subject. What one answers does not depend on what the other remembers, so requests go to
 * one of them only; the other is there to be waited for. The changer is the one that is asked, or a third.
 *
 * Redis is one master with one replica: the value, and the control log with the members' notes. It may fail over once,
 * and what the replica did not have is then lost. Messages, requests and replies may be late or lost, and the log may be
 * cut behind a member's position.
 *
 * Time has no numbers. A lease may run out at any moment; and when somebody has waited for the length of a lease, those
 * that began before the wait have run out. Drift, the margin, and clocks that are set are beyond this model. So are
 * several changes at once, and a change whose caller gave up: it has not returned.
 *
 * A macro breaks one rule (spin -DNO_ACK). Each leads to an old answer, even without the other instance (-DALONE):
 *   NO_ACK                  the change returns as soon as it is in the log
 *   NO_LEASE                memory is trusted for ever, so to wait for a silent member proves nothing
 *   NO_FENCE                a load may be answered by a master that was replaced
 *   STORE_LATE              a load under way when the change is applied is shared and stored nevertheless
 *   SHARED_WHILE_UNTRUSTED  a request joins a load although memory is not trusted
 *   JOIN_NOT_DURABLE        a renewal, and so a join, counts before the replica has it
 *   EXTEND_BEFORE_APPLY     a renewal extends the lease, and then applies what has changed
 *   LEASE_FROM_REPLY        a lease runs from the reply to the renewal, not from before it was sent
 *   NOTE_BEFORE_APPLY       a renewal notes the position that it tells, not the one that is applied
 *   GAP_NOTED_AS_APPLIED    so does one that finds a gap, though the instance trusts its memory until it has the reply
 *   LATE_COPY_COUNTS        so does a late copy of a request to join
 *   REMOVED_THOUGH_RENEWED  a silent member is removed although it has renewed its lease meanwhile
 *   ACK_BEFORE_APPLY        a change that was told is acknowledged, and then applied
 *   ANNOUNCE_BEFORE_WRITE   the change is announced, and then written
 * And one leads to a change that never returns:
 *   ONLY_ACKS               the change waits for acknowledgements, however long
 */

/* A value; `unknown` as long as Redis has not answered. */
mtype = { none, unknown, old, new };

/* A renewal: under way, its script has run, the replica has what it wrote. */
mtype = { idle, sent, ran, confirmed };

typedef Note {
  bool isThere;
  bool isPast                   /* the member's position is past the change */
}

typedef Node {
  mtype value = old;
  bool hasChange;               /* in the log */
  Note notes[2]
}

typedef Instance {
  bool isTrusted;               /* its lease lasts */
  bool isLeaseOld;              /* begun before the append, and the change has not returned */
  bool isPast;                  /* its position is past the change */
  mtype memory = none;

  mtype load = none;            /* under way; others may join it */
  bool isLoadLate;              /* somebody waits for it who began after the change had returned */

  mtype renewal = idle;
  bool isJoin;                  /* sent without trust, so with no position */
  bool isRenewalOld;            /* as isLeaseOld, for the lease that it is going to begin */
  bool tellsToForget, tellsPast; /* what the reply will say */

  bool isMissing;               /* the change waits for it */
  bool hasAcknowledged          /* before it was known who has to */
}

#define OTHER 0
#define ASKED 1
#define A_THIRD 2

Instance instances[2];
byte changer;
bool isTold, isAppended, hasReturned;

Node master, replica, nothing;
bool isReplicaBehind, isReplaced;
#ifdef NO_FENCE
mtype valueOnReplaced;
#endif

#define my instances[id]

inline answer(what, isLate) {
  assert(!(isLate && what == old))
}

/* ---- Redis ---- */

inline wrote() {
  isReplicaBehind = !isReplaced
}

/* There is no second failover: what was written after the first one stays. */
#define IS_DURABLE(fact) (master.fact && (isReplaced || replica.fact))

inline note(id, past) {
  master.notes[id].isThere = true;
  master.notes[id].isPast = past;
  wrote()
}

inline removeNote(id) {
  master.notes[id].isThere = false;
  master.notes[id].isPast = false;
  wrote()
}

inline copyNode(to, from) {
  to.value = from.value;
  to.hasChange = from.hasChange;
  to.notes[0].isThere = from.notes[0].isThere;
  to.notes[0].isPast = from.notes[0].isPast;
  to.notes[1].isThere = from.notes[1].isThere;
  to.notes[1].isPast = from.notes[1].isPast
}

inline moveRenewal(id, outcome) {
  if
  :: my.renewal == ran -> my.renewal = outcome
  :: else
  fi
}

inline loseTrust(id) {
  my.isTrusted = false;
  my.isLeaseOld = false
}

inline endRenewal(id) {
  my.renewal = idle;
  my.isJoin = false;
  my.isRenewalOld = false;
  my.tellsToForget = false;
  my.tellsPast = false
}

/*
 * Somebody saw the note unchanged for longer than a lease, so what began before it was written is over; a reply that
 * comes now might as well be lost. A renewal whose script has not run may be younger. It will find no note.
 */
inline removeSilent(id) {
#if !defined(NO_LEASE) && !defined(REMOVED_THOUGH_RENEWED)
  loseTrust(id);
#ifndef LEASE_FROM_REPLY
  if
  :: my.renewal == ran || my.renewal == confirmed -> endRenewal(id)
  :: else
  fi;
#endif
#endif
  removeNote(id)
}

proctype Redis() {
end:
  do
  :: d_step {
       isReplicaBehind ->
       copyNode(replica, master);
       moveRenewal(OTHER, confirmed);
       moveRenewal(ASKED, confirmed);
       isReplicaBehind = false
     }

  /* A failover. Whoever was not confirmed sends once more. */
  :: d_step {
       !isReplaced ->
#ifdef NO_FENCE
       valueOnReplaced = master.value;
#endif
       copyNode(master, replica);
       moveRenewal(OTHER, sent);
       moveRenewal(ASKED, sent);
       copyNode(replica, nothing);
       isReplicaBehind = false;
       isReplaced = true
     }

  :: d_step { master.notes[OTHER].isThere -> removeSilent(OTHER) }
  :: d_step { master.notes[ASKED].isThere -> removeSilent(ASKED) }
  od
}

/* ---- An instance ---- */

/* Those who wait for a load get its answer, also when it was detached; but then nobody joins it any more. */
inline endLoad(id) {
  answer(my.load, my.isLoadLate);
  my.load = none;
  my.isLoadLate = false
}

inline forget(id) {
  my.memory = none;
#ifndef STORE_LATE
  endLoad(id)
#endif
}

/* A load writes in front of its WAIT: the master that answers leads, and what it says is durable. */
#define MAY_ANSWER (master.value == old || IS_DURABLE(value == new))

inline runs(id, doesForget) {
  my.tellsToForget = doesForget;
  my.tellsPast = master.hasChange;
  my.isJoin = false;
  my.renewal = (isReplaced -> confirmed : ran)
}

/* Memory is trusted until the reply is applied, so the note must not pass for an acknowledgement before. */
inline runAfterGap(id) {
#ifdef GAP_NOTED_AS_APPLIED
  note(id, master.hasChange);
#else
  note(id, false);
#endif
  runs(id, true)
}

#ifdef JOIN_NOT_DURABLE
#define HAS_REPLY (my.renewal == ran || my.renewal == confirmed)
#else
#define HAS_REPLY (my.renewal == confirmed)
#endif

inline applyReply(id) {
  if
  :: my.tellsToForget -> forget(id)
  :: else
  fi;
  my.isPast = my.tellsPast
}

inline extendLease(id) {
  my.isTrusted = true;
  my.isLeaseOld = my.isRenewalOld
}

inline withdraw(id) {
  loseTrust(id);
  forget(id);
  endRenewal(id)
}

inline acknowledge(id) {
  my.isMissing = false;
  my.hasAcknowledged = !isAppended
}

proctype Member(byte id) {
#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  bool isToForget;
#endif
  do
  /* A request: answered from memory, or by a load that it joins, begins, or has for itself. */
  :: d_step { my.isTrusted && my.memory != none -> answer(my.memory, hasReturned) }
#ifdef SHARED_WHILE_UNTRUSTED
  :: d_step { my.load != none -> my.isLoadLate = hasReturned }
#else
  :: d_step { my.isTrusted && my.memory == none && my.load != none -> my.isLoadLate = hasReturned }
#endif
  :: d_step {
       id == ASKED && my.isTrusted && my.memory == none && my.load == none ->
       my.load = unknown;
       my.isLoadLate = hasReturned
     }
  :: d_step { id == ASKED && !my.isTrusted && MAY_ANSWER -> answer(master.value, hasReturned) }

  /* A load is answered, and ends. */
  :: d_step { my.load == unknown && MAY_ANSWER -> my.load = master.value }
#ifdef NO_FENCE
  :: d_step { my.load == unknown && isReplaced -> my.load = valueOnReplaced }
#endif
  :: d_step {
       my.load == old || my.load == new ->
       if
       :: my.isTrusted -> my.memory = my.load
       :: else
       fi;
       endLoad(id)
     }

#ifndef NO_LEASE
  /* The lease runs out. */
  :: d_step { my.isTrusted -> loseTrust(id) }
#endif

  /* A renewal is sent; its script runs; its reply is read, or lost. */
  :: d_step {
       my.renewal == idle ->
       my.renewal = sent;
       my.isJoin = !my.isTrusted;
       my.isPast = my.isPast && my.isTrusted
     }
  :: d_step { my.renewal == sent && my.isJoin -> note(id, master.hasChange); runs(id, true) }
  :: d_step {
       my.renewal == sent && !my.isJoin && master.notes[id].isThere ->
#ifdef NOTE_BEFORE_APPLY
       note(id, master.hasChange);
#else
       note(id, my.isPast);
#endif
       runs(id, master.hasChange && !my.isPast)
     }
  :: d_step { my.renewal == sent && !my.isJoin -> runAfterGap(id) }
#ifdef EXTEND_BEFORE_APPLY
  :: d_step {
       HAS_REPLY ->
       isToForget = my.tellsToForget;
       my.isPast = my.tellsPast;
       extendLease(id);
       endRenewal(id)
     }
#else
  :: d_step { HAS_REPLY -> applyReply(id); extendLease(id); endRenewal(id) }
#endif
  :: d_step { my.renewal != idle -> endRenewal(id) }

  /* A late copy of a request to join: who has a note has it from this request or a later one, and keeps it. */
  :: d_step { !master.notes[id].isThere -> note(id, master.hasChange) }
#ifdef LATE_COPY_COUNTS
  :: d_step { master.notes[id].isThere -> note(id, master.hasChange) }
#endif

  /* The change is told: any number of times, or never. The acknowledgement may be lost. */
#ifdef ACK_BEFORE_APPLY
  :: d_step { isTold && changer != id -> acknowledge(id); isToForget = true }
#else
  :: d_step { isTold && changer != id -> forget(id); acknowledge(id) }
#endif
  :: d_step { isTold && changer != id -> forget(id) }

  /* The channel is lost. The instance leaves; that may be lost, too. */
  :: d_step { my.isTrusted -> withdraw(id); removeNote(id) }
  :: d_step { my.isTrusted -> withdraw(id) }

#if defined(ACK_BEFORE_APPLY) || defined(EXTEND_BEFORE_APPLY)
  :: d_step { isToForget -> forget(id); isToForget = false }
#endif

  /* Killed. Its note stays until somebody finds it silent. */
  :: d_step { withdraw(id); my.isPast = false } -> break
  od
}

/* ---- The change ---- */

inline write() {
  do
  :: d_step { master.value = new; wrote() };
     if
     :: IS_DURABLE(value == new) -> break
     :: master.value == old      /* lost in the failover: once more */
     fi
  od
}

inline expect(id) {
  my.isMissing = master.notes[id].isThere && changer != id && !my.hasAcknowledged;
  my.isLeaseOld = my.isTrusted;
#ifndef LEASE_FROM_REPLY
  my.isRenewalOld = my.renewal != idle
#endif
}

inline announce() {
  do
  :: d_step {
       if
       :: changer == ASKED -> forget(ASKED)
       :: else
       fi;
       master.hasChange = true;
       wrote();
       isTold = true;
       expect(OTHER);
       expect(ASKED)
     };
     if
     :: d_step {
          IS_DURABLE(hasChange) ->
          isAppended = true;
          instances[OTHER].hasAcknowledged = false;
          instances[ASKED].hasAcknowledged = false
        } -> break
     :: !master.hasChange
     fi
  od
}

/* The wait is as long as the longest lease among those who are missing. A reply that comes now might as well be lost. */
inline outwait(id) {
#ifndef NO_LEASE
  if
  :: my.isMissing && my.isLeaseOld -> loseTrust(id)
  :: else
  fi;
  if
  :: my.isMissing && my.isRenewalOld -> endRenewal(id)
  :: else
  fi;
#endif
  my.isMissing = false
}

#define IS_SOMEBODY_MISSING (instances[OTHER].isMissing || instances[ASKED].isMissing)

/* Read with a WAIT, so what the note says is durable. */
#define IS_NOTED(id) (!isReplicaBehind && (!master.notes[id].isThere || master.notes[id].isPast))

inline awaitMembers() {
  do
  :: !IS_SOMEBODY_MISSING -> break
#ifndef ONLY_ACKS
  :: d_step { instances[OTHER].isMissing && IS_NOTED(OTHER) -> instances[OTHER].isMissing = false }
  :: d_step { instances[ASKED].isMissing && IS_NOTED(ASKED) -> instances[ASKED].isMissing = false }
  :: d_step { IS_SOMEBODY_MISSING -> outwait(OTHER); outwait(ASKED) }
#endif
  od
}

inline endWait(id) {
  my.isMissing = false;
  my.isLeaseOld = false;
  my.isRenewalOld = false
}

proctype Change() {
#ifndef ANNOUNCE_BEFORE_WRITE
  write();
#endif
  announce();
#ifndef NO_ACK
  awaitMembers();
#endif
#ifdef ANNOUNCE_BEFORE_WRITE
  write();
#endif
  atomic { endWait(OTHER); endWait(ASKED); hasReturned = true }
}

/* ---- What has to be possible, or else the search proves nothing ---- */

#ifdef WITNESS
#define asked instances[ASKED]

/* pan lists the statements that it never reached. */
bool wasSeen;
#define SEEN(condition) atomic { condition -> wasSeen = true; wasSeen = false }

proctype Witness() {
end:
  do
  /* The change waits for one who trusts the old value, has renewed its lease, has left, or has noted the change. */
  :: SEEN(asked.isMissing && asked.isTrusted && asked.memory == old)
  :: SEEN(asked.isMissing && asked.isTrusted && !asked.isLeaseOld)
  :: SEEN(asked.isMissing && !master.notes[ASKED].isThere)
  :: SEEN(asked.isMissing && master.notes[ASKED].isPast)
  /* A failover comes before the write or loses it; it loses the append. */
  :: SEEN(isReplaced && !isTold && master.value == old)
  :: SEEN(isReplaced && isTold && !master.hasChange)
  /* After the change, a request is answered from memory, from the changer's memory, or by a load that it joins. */
  :: SEEN(hasReturned && asked.isTrusted && asked.memory == new)
  :: SEEN(hasReturned && asked.isTrusted && asked.memory == new && changer == ASKED)
  :: SEEN(hasReturned && asked.isTrusted && asked.load == new && asked.isLoadLate)
  /* The old value is still there, or on its way; and so is a reply that brings trust. */
  :: SEEN(hasReturned && asked.memory == old && asked.renewal == confirmed)
  :: SEEN(hasReturned && asked.load == old && asked.renewal == confirmed)
  od
}
#endif

init {
  atomic {
    if
    :: changer = ASKED
    :: changer = A_THIRD
    fi;
#ifndef ALONE
    run Member(OTHER);
#endif
    run Member(ASKED);
    run Redis();
#ifdef WITNESS
    run Witness();
#endif
    run Change()
  }
}
