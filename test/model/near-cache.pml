/*
 * The coherence protocol of src/near-cache: one change of one subject, two instances that may remember it.
 *
 * Two instances for the protocol as it is; one (ONE_INSTANCE) is enough to show that a broken one fails.
 *
 * What is left out: time. A lease may run out at any moment; and when the changer has waited for an instance to its end,
 * every lease that this instance began before the change was appended has run out for certain. Messages may be lost,
 * renewals may be sent and never answered, and masters may be replaced once.
 *
 * The invariant: a request that begins after the change has returned is never answered with the old value.
 *
 * The protocol can be broken by -D, each time in one place; REACH_x asks whether a state is reached at all.
 */
mtype = { nothing, old, new };
#define INSTANCES 2

/* Redis: the value, and the control log with its replica. */
mtype value = old;
bool isAppended = false;
bool isMember[INSTANCES];
bool isMemberOnReplica[INSTANCES];
bool isNotedPast[INSTANCES];   /* the position that the instance has noted lies past the change */
bool isReplaced = false;

/* The changer. */
bool isAwaited[INSTANCES];
bool hasReturned = false;

/* Each instance. */
bool isTrusted[INSTANCES];
bool isLeaseOld[INSTANCES];    /* the lease was begun before the change was appended */
mtype memory[INSTANCES] = nothing;
bool hasApplied[INSTANCES];
mtype load[INSTANCES] = nothing;   /* what a load under way has read */
bool isDetached[INSTANCES];
bool isLateWaiting[INSTANCES]; /* a request that began after the return waits for the load */

/* A renewal under way: sent, run by the master, answered. */
bool isSent[INSTANCES], isRun[INSTANCES];
bool isRenewalJoin[INSTANCES], isRenewalOld[INSTANCES], isRenewalOver[INSTANCES], sawChange[INSTANCES];

#ifdef REACH_A_LATE_HIT
#define REACHED_A_LATE_HIT assert(false)
#else
#define REACHED_A_LATE_HIT skip
#endif
#ifdef REACH_A_WAIT_TO_THE_END
#define REACHED_A_WAIT_TO_THE_END assert(false)
#else
#define REACHED_A_WAIT_TO_THE_END skip
#endif
#ifdef REACH_A_DETACHED_LOAD
#define REACHED_A_DETACHED_LOAD assert(false)
#else
#define REACHED_A_DETACHED_LOAD skip
#endif
#ifdef REACH_AN_ACKNOWLEDGEMENT_BY_POSITION
#define REACHED_AN_ACKNOWLEDGEMENT_BY_POSITION assert(false)
#else
#define REACHED_AN_ACKNOWLEDGEMENT_BY_POSITION skip
#endif

#ifdef SHARED_WHILE_UNTRUSTED
#define MAY_SHARE(i) true
#else
#define MAY_SHARE(i) isTrusted[i]
#endif

inline answer(what, isLate) {
  assert(!(isLate && what == old))
}

inline forget(i) {
  memory[i] = nothing;
#ifndef STORE_LATE
  isDetached[i] = (load[i] != nothing)
#endif
}

inline beginLoad(i, what) {
  load[i] = what;
  isDetached[i] = !MAY_SHARE(i);
  isLateWaiting[i] = hasReturned
}

inline register(i) {
  isMember[i] = true;
#ifndef JOIN_NOT_DURABLE
  isMemberOnReplica[i] = true;
#endif
  sawChange[i] = isAppended;
  isRun[i] = true
}

inline extend(i) {
  isTrusted[i] = !isRenewalOver[i];
  isLeaseOld[i] = isRenewalOld[i]
}

proctype Instance(byte i) {
end:
  do
  /* A request: from memory, from a load that is under way, or by a load of its own. */
  :: d_step { isTrusted[i] && memory[i] != nothing ->
       if
       :: hasReturned && memory[i] == new -> REACHED_A_LATE_HIT
       :: else
       fi;
       answer(memory[i], hasReturned) }
  :: d_step { load[i] != nothing && !isDetached[i] && hasReturned && MAY_SHARE(i) ->
       isLateWaiting[i] = true }
  :: d_step { load[i] == nothing && memory[i] == nothing -> beginLoad(i, value) }
#ifdef NO_FENCE
  :: d_step { load[i] == nothing && memory[i] == nothing && isReplaced -> beginLoad(i, old) }
#endif
  :: d_step { load[i] != nothing ->
       answer(load[i], isLateWaiting[i]);
       if
       :: isTrusted[i] && !isDetached[i] -> memory[i] = load[i]
       :: isDetached[i] -> REACHED_A_DETACHED_LOAD
       :: else
       fi;
       load[i] = nothing; isDetached[i] = false; isLateWaiting[i] = false }

  /* The lease. */
#ifndef NO_LEASE
  :: d_step { isTrusted[i] -> isTrusted[i] = false }
#endif
  :: d_step { !isSent[i] ->
       isSent[i] = true; isRun[i] = false;
       isRenewalJoin[i] = !isTrusted[i];
       isRenewalOld[i] = !isAppended; isRenewalOver[i] = false }
  :: d_step { isSent[i] && !isRun[i] && (isRenewalJoin[i] || isMember[i]) ->
       if
       :: isRenewalJoin[i] -> isNotedPast[i] = isAppended
       :: else -> isNotedPast[i] = hasApplied[i]
       fi;
       register(i) }
  /* The log cannot tell what changed since the position: the instance has to begin anew, and does not know it yet. */
  :: d_step { isSent[i] && !isRun[i] && !isRenewalJoin[i] ->
       isRenewalJoin[i] = true;
#ifdef NOTED_BEFORE_FORGOTTEN
       isNotedPast[i] = isAppended;
#else
       isNotedPast[i] = false;
#endif
       register(i) }
  :: d_step { isSent[i] && isRun[i] ->
       if
       :: isRenewalJoin[i] || (sawChange[i] && !hasApplied[i]) -> forget(i)
       :: else
       fi;
       hasApplied[i] = sawChange[i];
       extend(i);
       isSent[i] = false; isRun[i] = false }
  :: d_step { isSent[i] -> isSent[i] = false; isRun[i] = false } /* never answered */

  /* The channel: what is told may be heard, late, or never. Losing it ends the trust, and the instance leaves. */
  :: d_step { isAppended ->
       forget(i);
       isAwaited[i] = false }
  :: d_step { isTrusted[i] && !isSent[i] ->
       isTrusted[i] = false; forget(i); isMember[i] = false; isMemberOnReplica[i] = false }
  od
}

active proctype Failover() {
end:
  d_step {
    !isReplaced ->
    isReplaced = true;
    isMember[0] = isMemberOnReplica[0];
    isMember[1] = isMemberOnReplica[1]
  }
}

inline waitFor(i) {
  do
  :: !isAwaited[i] -> break
  :: d_step { isAwaited[i] && !isMember[i] -> isAwaited[i] = false }
  :: d_step { isAwaited[i] && isMember[i] && isNotedPast[i] ->
       REACHED_AN_ACKNOWLEDGEMENT_BY_POSITION;
       isAwaited[i] = false }
#ifdef NO_LEASE
  :: d_step { isAwaited[i] -> isAwaited[i] = false } /* gives up on who does not answer */
#else
  :: d_step { isAwaited[i] ->
       REACHED_A_WAIT_TO_THE_END;
       if
       :: isLeaseOld[i] -> isTrusted[i] = false
       :: else
       fi;
       isRenewalOver[i] = isRenewalOld[i];
       isAwaited[i] = false }
#endif
  od
}

active proctype Changer() {
  value = new;
  d_step {
    isAppended = true;
    isAwaited[0] = isMember[0];
    isAwaited[1] = isMember[1];
    isLeaseOld[0] = true;
    isLeaseOld[1] = true
  }
#ifndef NO_ACK
  waitFor(0);
  waitFor(1);
#endif
  hasReturned = true
}

init {
  atomic {
    run Instance(0);
#ifndef ONE_INSTANCE
    run Instance(1)
#endif
  }
}
