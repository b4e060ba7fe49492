/*
 * Work in progress: the proof of a durable write. One shard (node 0 leads first, REPLICAS=1 or 2), two other masters B and C.
 *
 * Assumptions about Redis, each with a macro that drops it:
 *   NEWS_LATE         a voter forgets FAIL, or votes again, before it knows the result of the last election
 *   NOTICED_LATE      a replica acknowledges before its master lists it, or while a majority flags it FAIL
 *   ACKS_OF_UNLISTED  WAIT counts a replica that the master does not list any more
 *   NO_RANK           a replica that is behind wins against one that is not
 *   RESTARTED_STANDS  a replica that was restarted and has not synced stands for election
 *   UNSETTLED         a master is lost before all replicas follow it
 * Rules, each with a macro that breaks it:
 *   SLOW_TRY, M_ASKED_LATE, DISAGREEING_COUNTS, NO_WAIT, WAIT_ONE, QUORUM=1, PFAIL_IS_FAIL, ONE_FAIL, FLAGS_IGNORED
 * ORPHANS: replicas of a master without slots count as promotable.
 *
 * `behind`: a majority has flagged the node FAIL, and it has not synced since. It is the only excuse.
 */
#ifndef REPLICAS
#define REPLICAS 1
#endif
#ifndef ELECTIONS
#define ELECTIONS 1
#endif

#if REPLICAS == 1
#define NODES 2
#define B 2
#define C 3
#define D 4
#define EVERY_NODE 3
#else
#define NODES 3
#define B 3
#define C 4
#define D 5
#define EVERY_NODE 7
#endif
#ifdef NON_VOTER_COUNTS
#define ALL (NODES + 3)
#else
#define ALL (NODES + 2)
#endif
#define NOBODY 7

#define BIT(n) (1 << (n))
#define IS_IN(set, n) (((set) >> (n)) & 1)

byte down;
byte unfit;
byte behind;
byte has;

byte lead[ELECTIONS + 1];
byte last;

byte epoch[ALL];
byte mates[ALL];
byte failed[ALL];

byte candidate = NOBODY;
byte phase;
bool isConfirmed;
byte ran, acked;
byte target;
byte votes;
bool isExcused;
#ifndef UNSETTLED
bool isSettled = true;
#endif

#define LEADER(v) lead[epoch[v]]
#define LEADS(n) (LEADER(n) == (n))
#define IS_UP(v) ((v) >= NODES || !IS_IN(down, v))
#define COUNT(set) (IS_IN(set, 0) + IS_IN(set, 1) + IS_IN(set, 2))

#define FAIL_FLAGS(j) (IS_IN(failed[lead[last]], j) + IS_IN(failed[B], j) + IS_IN(failed[C], j))
#if REPLICAS == 1
#define IS_FLAGGED(j) IS_IN(failed[B] | failed[C] | failed[0] | failed[1], j)
#else
#define IS_FLAGGED(j) IS_IN(failed[B] | failed[C] | failed[0] | failed[1] | failed[2], j)
#endif
#define OBSERVES(v) (v >= NODES || (!IS_IN(down, v) && LEADS(v)))

inline put(set, n) { set = set | BIT(n) }
inline drop(set, n) { set = set & ~BIT(n) }

inline endElection() { candidate = NOBODY; votes = 0 }

inline learn(v, e) {
  if
  :: v < NODES && LEADS(v) -> put(unfit, v); failed[v] = 0
  :: else
  fi;
  if
  :: candidate == v -> endElection()
  :: else
  fi;
  epoch[v] = e;
  mates[v] = 0
}

/* A packet of j comes to v. */
#define IS_CLAIM(v, j) (LEADS(j) && epoch[j] > epoch[v])
#define IS_NEWS(v, j) ((IS_IN(failed[v], j) && LEADER(v) != j) || IS_CLAIM(v, j) || (!LEADS(j) && IS_IN(mates[v], j) != (epoch[j] == epoch[v])))
inline hear(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(down, j) && IS_NEWS(v, j) ->
    if
    :: LEADER(v) != j -> drop(failed[v], j)
    :: else
    fi;
    if
    :: IS_CLAIM(v, j) -> learn(v, epoch[j])
    :: !LEADS(j) && epoch[j] == epoch[v] -> put(mates[v], j)
    :: !LEADS(j) && epoch[j] != epoch[v] -> drop(mates[v], j)
    :: else
    fi
  }
}

#ifdef SLOW_TRY
#define IN_TRY(j) false
#else
#define IN_TRY(j) IS_IN(ran, j)
#endif
#define IS_FAILING(v, j) ((IS_IN(down, j) && !IN_TRY(j)) || (LEADER(v) == j && IS_FLAGGED(j)))
/* A majority cannot reach it, or another node says FAIL. */
inline fail(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(failed[v], j) && IS_FAILING(v, j) ->
    put(failed[v], j);
    if
    :: j != lead[last] -> put(behind, j)
    :: else
    fi
  }
}
#ifdef NEWS_LATE
#define HAS_NEWS(v) true
#define MAY_UNDO(v) true
#else
#define HAS_NEWS(v) (epoch[v] == last)
#define MAY_UNDO(v) ((v < NODES || !IS_IN(votes, v - B)) && HAS_NEWS(v))
#endif
inline undo(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(down, j) && IS_IN(failed[v], j) && LEADER(v) == j && MAY_UNDO(v) ->
    drop(failed[v], j)
  }
}

inline observe(v, j) {
  if
  :: hear(v, j)
  :: fail(v, j)
  :: undo(v, j)
  fi
}

inline update(n, v) {
  d_step { n != v && !IS_IN(down, n) && IS_UP(v) && epoch[n] < epoch[v] -> learn(n, epoch[v]) }
}

#ifdef NOTICED_LATE
#define IS_NOTICED(n) true
#else
#define IS_NOTICED(n) (IS_IN(mates[LEADER(n)], n) && FAIL_FLAGS(n) < 2)
#endif
#define LACKS(n, m) (IS_IN(has, m) != IS_IN(has, n))
#define IS_ACK(n) (phase == 1 && LEADER(n) == target && !IS_IN(acked, n))
inline sync(n) {
  d_step {
    !IS_IN(down, n) && !LEADS(n) && !IS_IN(down, LEADER(n)) && LEADS(LEADER(n)) && IS_NOTICED(n) &&
      (IS_IN(unfit | behind, n) || LACKS(n, LEADER(n)) || IS_ACK(n)) ->
    has = (has & ~BIT(n)) | (IS_IN(has, LEADER(n)) << n);
    drop(unfit, n);
    if
    :: IS_ACK(n) -> put(acked, n)
    :: else
    fi;
    if
    :: LEADER(n) == lead[last] && FAIL_FLAGS(n) < 2 -> drop(behind, n)
    :: else
    fi
  }
}

/* A replica that is behind waits for a better one. */
#define IS_BETTER(j, n) (j != n && !IS_IN(down, j) && epoch[j] == epoch[n] && !LEADS(j) && !IS_IN(unfit | behind, j))
#if REPLICAS == 1 || defined(NO_RANK)
#define IS_FIRST(n) true
#else
#define IS_FIRST(n) (!IS_IN(behind, n) || !(IS_BETTER(0, n) || IS_BETTER(1, n) || IS_BETTER(2, n)))
#endif

#ifdef RESTARTED_STANDS
#define IS_FIT(n) true
#else
#define IS_FIT(n) (!IS_IN(unfit, n))
#endif

#define SEES_FAIL(n) (IS_IN(down, LEADER(n)) || IS_FLAGGED(LEADER(n)))
inline vote(v, n) {
  d_step {
    v != D && last < ELECTIONS && !IS_IN(votes, v - B) && (candidate == n || candidate == NOBODY) &&
      (votes != 0 || (!IS_IN(down, n) && !LEADS(n) && IS_FIT(n) && IS_FIRST(n))) &&
      epoch[v] == epoch[n] && HAS_NEWS(v) && IS_IN(mates[v], n) && IS_IN(failed[v], LEADER(v)) ->
    candidate = n;
    put(votes, v - B)
  }
}

#define IS_OVER (phase == 9 && (!isConfirmed || last == ELECTIONS))

inline win(n) {
  d_step {
    candidate == n && !IS_IN(down, n) && votes == 3 ->
    endElection();
    put(behind, lead[last]);
    last++;
    lead[last] = n;
    epoch[n] = last;
    mates[n] = 0;
    if
    :: !IS_IN(has, n) && isConfirmed ->
#ifdef STRICT
       assert(false);
#else
       assert(IS_IN(behind, n));
#endif
       isConfirmed = false;
       phase = 9
    :: !IS_IN(has, n) && !isConfirmed && IS_IN(behind, n) -> isExcused = true
    :: else
    fi;
    drop(behind, n);
    drop(unfit, n)
#ifndef UNSETTLED
    ; isSettled = false
#endif
  }
}
inline giveUp(n) {
  d_step { candidate == n -> endElection() }
}

#ifdef UNSETTLED
#define MAY_LOSE(n) true
#else
#define MAY_LOSE(n) (isSettled || n != lead[last])
#endif

proctype Node(byte n) provided (!IS_OVER) {
end:
  do
  :: d_step { !IS_IN(down, n) && MAY_LOSE(n) -> put(down, n) }
  :: d_step {
       IS_IN(down, n) ->
       drop(down, n);
#ifndef SLOW_TRY
       if
       :: phase == 1 || phase == 2 -> put(ran, n)
       :: else
       fi
#endif
     }
  /* Killed: it starts with old data. */
  :: d_step {
       !LEADS(n) && !IS_IN(unfit, n) ->
       put(down, n);
       put(unfit, n);
       drop(has, n);
       drop(acked, n);
       if
       :: candidate == n -> endElection()
       :: else
       fi
     }
  :: observe(n, 0)
  :: observe(n, 1)
#if REPLICAS > 1
  :: observe(n, 2)
#endif
  :: update(n, 0)
  :: update(n, 1)
#if REPLICAS > 1
  :: update(n, 2)
#endif
  :: update(n, B)
  :: update(n, C)
  :: sync(n)
  :: win(n)
  :: giveUp(n)
  od
}

proctype Voter(byte v) provided (!IS_OVER) {
end:
  do
  :: observe(v, 0)
  :: observe(v, 1)
#if REPLICAS > 1
  :: observe(v, 2)
#endif
  :: vote(v, 0)
  :: vote(v, 1)
#if REPLICAS > 1
  :: vote(v, 2)
#endif
  od
}

#ifndef UNSETTLED
#define HAS_SETTLED(n) (IS_IN(behind, n) || n == lead[last] || (epoch[n] == last && IS_IN(mates[lead[last]] & mates[B] & mates[C], n) \
  && !LACKS(n, lead[last])))
#endif

#if REPLICAS == 1
#define HAS_ALL_SETTLED (HAS_SETTLED(0) && HAS_SETTLED(1))
#else
#define HAS_ALL_SETTLED (HAS_SETTLED(0) && HAS_SETTLED(1) && HAS_SETTLED(2))
#endif
/* ---- Client ---- */
#define IDLE 0
#define SENT 1
#define ASKING 2
#define DONE 9

bool isRightful;
byte acks;
byte asked, agreed, listed, left[NODES];

#ifndef QUORUM
#define QUORUM 2
#endif

inline forgetAnswers() {
  asked = 0; agreed = 0; listed = 0; left[0] = 0; left[1] = 0
#if REPLICAS > 1
  ; left[2] = 0
#endif
}
inline endTry() {
  phase = IDLE; acks = 0; target = 0; ran = 0; acked = 0; isRightful = false;
  forgetAnswers()
}
#ifdef ACKS_OF_UNLISTED
#define ACKS COUNT(acked)
#else
#define ACKS COUNT(acked & mates[target])
#endif
#ifdef ORPHANS
#define ORPHAN(v, j) ((j != LEADER(v) && !IS_IN(mates[v], j) && (epoch[v] == 0 || j != lead[0]) && (epoch[v] < 2 || j != lead[1])) -> BIT(j) : 0)
#define LISTING(v) (mates[v] | ORPHAN(v, 0) | ORPHAN(v, 1) | ORPHAN(v, 2))
#else
#define LISTING(v) mates[v]
#endif
#define LISTED LISTING(target)
#ifdef FLAGS_IGNORED
#define AGREES(v) (LEADER(v) == target)
#else
#define AGREES(v) (LEADER(v) == target && !IS_IN(failed[v], target))
#endif

#ifdef ONE_FAIL
#define LEFT 1
#else
#define LEFT 2
#endif
#define SIZE(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1) + (((set) >> 3) & 1) + (((set) >> 4) & 1) + (((set) >> 5) & 1))
#define COUNTS(j) (IS_IN(listed, j) && SIZE(left[j]) < LEFT)
#if REPLICAS == 1
#define PROMOTABLE (COUNTS(0) + COUNTS(1))
#else
#define PROMOTABLE (COUNTS(0) + COUNTS(1) + COUNTS(2))
#endif
#ifdef STRICT
#define MIN_ACKS 1
#else
#define MIN_ACKS 0
#endif

inline leave(v, j) {
  if
  :: acks >= REPLICAS || j == target
#ifdef PFAIL_IS_FAIL
  :: IS_IN(failed[v], j) || IS_IN(down, j) -> put(left[j], v)
#else
  :: IS_IN(failed[v], j) -> put(left[j], v)
#endif
  :: else
  fi
}
inline leaveAll(v) {
  leave(v, 0);
  leave(v, 1)
#if REPLICAS > 1
  ; leave(v, 2)
#endif
}
inline count(v) {
  put(asked, v);
  if
  :: AGREES(v) ->
     put(agreed, v);
     listed = listed | LISTING(v);
#ifndef DISAGREEING_COUNTS
     leaveAll(v)
#endif
  :: else
  fi
#ifdef DISAGREEING_COUNTS
  ; leaveAll(v)
#endif
}
inline answers(v) {
  d_step { phase == ASKING && OBSERVES(v) && (v >= NODES || v == target) && !IS_IN(asked, v) -> count(v) }
}
inline confirm() {
#ifdef LOOK_UP
  assert(isRightful);
  endTry()
#else
  if
  :: IS_IN(has, lead[last]) -> isConfirmed = true
  :: else ->
#ifdef STRICT
     assert(false)
#else
     assert(isRightful && isExcused)
#endif
  fi;
  endTry();
  phase = DONE
#endif
}

inline send(n) {
  d_step {
    phase == IDLE && !IS_IN(down, n) && LEADS(n) ->
    target = n;
#ifndef LOOK_UP
    put(has, n);
#endif
    isRightful = (n == lead[last]);
    if
    :: isRightful -> isExcused = false
    :: else
    fi;
#ifndef SLOW_TRY
    ran = EVERY_NODE & ~down;
#endif
    phase = SENT
  }
}
#ifdef NO_WAIT
#define ENOUGH(count) true
#else
#ifdef WAIT_ONE
#define ENOUGH(count) (acks >= 1 || (count) == 0)
#else
#define ENOUGH(count) (acks >= (count) && acks >= MIN_ACKS)
#endif
#endif

proctype Client() {
end:
  do
  :: send(0)
  :: send(1)
#if REPLICAS > 1
  :: send(2)
#endif
  :: d_step {
       phase == SENT && !IS_IN(down, target) && LEADS(target) ->
       acks = ACKS;
       if
       :: LISTED != 0 && !(LISTED & failed[target]) && ENOUGH(COUNT(LISTED)) -> confirm()
       :: else ->
          phase = ASKING;
          acked = 0;
#ifndef M_ASKED_LATE
          count(target)
#endif
       fi
     }
  :: answers(0)
  :: answers(1)
#if REPLICAS > 1
  :: answers(2)
#endif
  :: answers(B)
  :: answers(C)
#ifdef NON_VOTER_COUNTS
  :: answers(D)
#endif
  :: d_step { phase == ASKING && SIZE(agreed) >= QUORUM && ENOUGH(PROMOTABLE) -> confirm() }
#ifdef ONE_TRY
  :: d_step { phase == SENT || phase == ASKING -> endTry(); phase = DONE }
#else
  :: d_step { phase == SENT || phase == ASKING -> endTry() }
#endif
  od
}

#ifndef UNSETTLED
proctype Settler() {
end:
  do
  :: d_step {
       !isSettled && HAS_ALL_SETTLED -> isSettled = true
     }
  od
}
#endif

init {
  atomic {
    mates[0] = EVERY_NODE - 1;
    mates[B] = EVERY_NODE - 1;
    mates[C] = EVERY_NODE - 1;
#ifdef AFTER_ELECTION
    last = 1;
    lead[1] = 1;
    epoch[1] = 1;
    down = 1;
    behind = 1;
    failed[B] = 1;
    failed[C] = 1;
#ifndef UNSETTLED
    isSettled = false;
#endif
#endif
    run Node(0);
    run Node(1);
#if REPLICAS > 1
    run Node(2);
#endif
    run Voter(B);
    run Voter(C);
#ifdef NON_VOTER_COUNTS
    mates[D] = EVERY_NODE - 1;
    run Voter(D);
#endif
#ifndef UNSETTLED
    run Settler();
#endif
    run Client()
  }
}
