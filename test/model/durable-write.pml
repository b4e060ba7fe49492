/*
 * The proof of a durable write (src/redis-cluster/durable-writer.ts, promotable-replicas.ts, master-majority.ts).
 *
 *   The node that leads the shard has each confirmed write, and the next election does not lose it.
 *
 * One shard: node 0 leads first, nodes 1 and 2 are its replicas. B and C lead other shards. They vote, and they answer
 * questions. Two of the three masters are a majority. Nodes of the shard may stop and continue at any moment. A replica may be
 * killed. It starts with old data.
 *
 * The proof. A try sends the write to a node M that believes that it leads, then WAIT, then the question for its replicas.
 *   Step 1  It holds if all replicas that M lists confirmed the write, M flags none of them FAIL, and the list is that of the
 *           last confirmed batch on this connection.
 *   Step 2  Otherwise all masters are asked, M included. An answer counts if it says that M leads, and is not FAIL. The proof
 *           holds if a majority of the masters answers so, and every promotable replica confirmed the write. A node is
 *           promotable if M listed it after WAIT, or an answer lists it as a replica of M or as an orphan. It is not
 *           promotable if a majority says in these answers that it is FAIL.
 * An orphan is listed as the replica of a master without slots, or of a replica.
 *
 * The excuse. A node is `behind` if a majority flags it FAIL, or flagged it, and the node has not synced since. If such a node
 * replaces the master, this is a second loss, which may lose a write. STRICT does not accept this excuse.
 *
 * Assumptions. The macro drops the assumption, and leads to a lost write:
 *   SLOW_TRY          FAIL takes longer than a try: a node that ran during a try is not newly flagged in this try, and M does
 *                     not lose its shard and get it back in this try
 *   NEWS_LATE         a voter knows the result of the election that it voted in before it drops FAIL, or votes again
 *   LISTED_LATE       a master lists a replica before this replica has synced with it
 *   RESTARTED_STANDS  a replica that was restarted, or was a master, does not stand for election before it has synced
 *   ANONYMOUS         the replicas that WAIT counts are those that are promotable. WAIT tells only how many there are
 * Further assumptions: B and C run, and no master is added or removed. Nobody uses CLUSTER FAILOVER TAKEOVER or FORCE. A node
 * that is replaced ends a WAIT that is under way. A voter that learns who won drops the FAIL flag of the winner.
 *
 * One search of everything would be too large, so a search selects parts:
 *   REPLICAS=2      two replicas, otherwise one
 *   ELECTIONS       at most so many elections
 *   STOPS           nodes stop, or are killed, at most so many times
 *   AFTER_ELECTION  node 1 has replaced node 0, which is back. Node 2 does not know it. Only node 1 stops, and only node 2
 *                   stands for election.
 *   EARLIER_BATCH   step 1 compares the lists. The earlier batch is one step. Without this macro step 1 accepts any list,
 *                   which confirms more.
 *   STRICT          at least one replica must confirm
 *   LOOK_UP         nothing is written. A confirmed look-up was sent to the node that led.
 *
 * A macro breaks one rule. Each leads to a lost write, or a wrong look-up:
 *   NO_WAIT             a write needs no confirmation of a replica
 *   WAIT_ONE            the confirmation of one replica is enough
 *   M_LIST_UNUSED       step 2 does not use the list of M after WAIT
 *   ASKED_BEFORE        the masters are asked before the write
 *   MINORITY            one answer is enough
 *   ONLY_M              only M is asked
 *   FLAGS_IGNORED       answers that say that M is FAIL count
 *   DISAGREEING_COUNTS  answers that say that M does not lead count when replicas are left out
 *   ONE_FAIL            a replica is left out if one answer says FAIL
 *   PFAIL_IS_FAIL       a replica is left out if a majority cannot reach it
 *   MASTER_LEFT_OUT     a node is left out if a majority lists it as a master without slots
 *   NO_ORPHANS          orphans are not promotable
 *   UNPROVED            a look-up is not proved
 * Without EARLIER_BATCH, AFTER_ELECTION leads to a lost write, too: step 1 must compare the lists.
 */

#ifndef REPLICAS
#define REPLICAS 1
#endif
#ifndef ELECTIONS
#define ELECTIONS 1
#endif

#if REPLICAS == 1
#define NODES 2
#define EVERY_NODE 3
#else
#define NODES 3
#define EVERY_NODE 7
#endif
#define B NODES
#define C (NODES + 1)
#define OBSERVERS (NODES + 2)
#define NOBODY 7

#define BIT(n) (1 << (n))
#define IS_IN(set, n) (((set) >> (n)) & 1)
inline put(set, n) { set = set | BIT(n) }
inline drop(set, n) { set = set & ~BIT(n) }

/* ---- The shard. Sets of nodes are bits. ---- */

byte down;                      /* stopped */
byte unfit;                     /* restarted, or was a master, and has not synced since */
byte behind;                    /* flagged FAIL, and has not synced since */
byte has;                       /* has the write */

/* The winner of each election, and the last one. */
byte lead[ELECTIONS + 1];
byte last;

/* What an observer knows: the last election that it heard of, the replicas of its winner, the nodes that are FAIL. */
byte epoch[OBSERVERS];
byte mates[OBSERVERS];
byte failed[OBSERVERS];
#if REPLICAS > 1
byte slotless[OBSERVERS];       /* the masters without slots */
#endif

byte candidate = NOBODY;
byte votes;

#define LEADER(v) lead[epoch[v]]
#define LEADS(n) (LEADER(n) == (n))
/* B, C, and each node that calls itself the master of the shard. */
#define OBSERVES(v) ((v) >= NODES || (!IS_IN(down, v) && LEADS(v)))
#define IS_UP(v) ((v) >= NODES || !IS_IN(down, v))

#define FLAGS(j) (IS_IN(failed[lead[last]], j) + IS_IN(failed[B], j) + IS_IN(failed[C], j))
/* Somebody says that the master of v is FAIL. */
#define SAYS_FAIL(w, v) (epoch[w] == epoch[v] && IS_IN(failed[w], LEADER(v)))
#if REPLICAS == 1
#define IS_SAID_FAIL(v) (SAYS_FAIL(0, v) || SAYS_FAIL(1, v) || SAYS_FAIL(B, v) || SAYS_FAIL(C, v))
#else
#define IS_SAID_FAIL(v) (SAYS_FAIL(0, v) || SAYS_FAIL(1, v) || SAYS_FAIL(2, v) || SAYS_FAIL(B, v) || SAYS_FAIL(C, v))
#endif

/* ---- The client ---- */

mtype = { idle, sent, asking, done };
mtype phase = idle;
byte target;                    /* M */
bool isRightful;                /* M led when the try began */
bool isExcused;                 /* a node that was behind was elected since then */
bool isConfirmed;
byte ran;                       /* the nodes that ran during the try */
byte acked;                     /* the replicas that confirmed the write */
#ifdef EARLIER_BATCH
bool isKnown;                   /* a batch was confirmed, and the list of node 1 has not changed since */
#endif
/* The answers: from whom, how many say that M leads, the promotable nodes, and how many exclude each. */
byte asked, agreed, listed, excluded[NODES];

inline forgetAnswers() {
  asked = 0; agreed = 0; listed = 0;
  excluded[0] = 0; excluded[1] = 0
#if REPLICAS > 1
  ; excluded[2] = 0
#endif
}

inline endTry() {
  phase = done; target = 0; ran = 0; acked = 0; isRightful = false; isExcused = false;
  forgetAnswers()
}

/* ---- Knowledge ---- */

#if REPLICAS == 1
#define learnSlotless(v, e)
#define hearSlotless(v, j)
#define ORPHANS(v) 0
#else
inline learnSlotless(v, e) {
  put(slotless[v], LEADER(v));
  drop(slotless[v], lead[e])
}
#define ORPHAN(v, j) ((j) != LEADER(v) && !IS_IN(mates[v] | slotless[v], j))
#define ORPHANS(v) (ORPHAN(v, 0) | (ORPHAN(v, 1) << 1) | (ORPHAN(v, 2) << 2))
#endif

#ifdef NO_SORT
#define sort(v)
#else
#if REPLICAS == 1
#define SLOTLESS(v) 0
#else
#define SLOTLESS(v) slotless[v]
#endif
#define KEY(v) (((((SLOTLESS(v) * 4 + epoch[v]) * 8 + mates[v]) * 8 + failed[v]) * 2 + IS_IN(votes, v - B)) * 2 + IS_IN(asked, v))
#define swap(x, y) swapped = x; x = y; y = swapped
hidden byte swapped;
/* The voters are alike. */
inline sort(v) {
  if
  :: v >= NODES && KEY(B) < KEY(C) ->
     swap(epoch[B], epoch[C]); swap(mates[B], mates[C]); swap(failed[B], failed[C]);
#if REPLICAS > 1
     swap(slotless[B], slotless[C]);
#endif
     votes = ((votes & 1) << 1) | (votes >> 1);
     asked = (asked & ~(BIT(B) | BIT(C))) | (IS_IN(asked, B) << C) | (IS_IN(asked, C) << B)
  :: else
  fi
}
#endif
inline endElection() { candidate = NOBODY; votes = 0 }

inline learn(v, e) {
  if
  :: v < NODES && LEADS(v) ->
     put(unfit, v);
     failed[v] = 0;
     if
     :: phase == sent && target == v -> endTry()
     :: else
     fi
  :: else
  fi;
  if
  :: candidate == v -> endElection()
  :: else
  fi;
#if REPLICAS > 1
  if
  :: v >= NODES -> learnSlotless(v, e)
  :: else -> slotless[v] = 0
  fi;
#endif
  drop(failed[v], lead[e]);
  mates[v] = 0;
  epoch[v] = e
}

/* A packet of j comes to v. */
#define IS_CLAIM(v, j) (LEADS(j) && epoch[j] > epoch[v])
#define FOLLOWS(j, v) (LEADER(j) == LEADER(v))
#if REPLICAS == 1
#define IS_SLOTLESS(v, j) false
#else
#define IS_SLOTLESS(v, j) IS_IN(slotless[v], j)
#endif
#define IS_NEWS(v, j) ((IS_IN(failed[v], j) && LEADER(v) != j) || IS_CLAIM(v, j) || \
  (!LEADS(j) && j != LEADER(v) && (IS_SLOTLESS(v, j) || IS_IN(mates[v], j) != FOLLOWS(j, v))))
inline hear(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(down, j) && IS_NEWS(v, j) ->
    if
    :: LEADER(v) != j -> drop(failed[v], j)
    :: else
    fi;
    if
    :: IS_CLAIM(v, j) -> learn(v, epoch[j])
    :: !LEADS(j) && j != LEADER(v) ->
#if REPLICAS > 1
       drop(slotless[v], j);
#endif
       mates[v] = (mates[v] & ~BIT(j)) | (FOLLOWS(j, v) << j);
#ifdef EARLIER_BATCH
       if
       :: v == 1 -> isKnown = false
       :: else
       fi
#endif
    :: else
    fi;
    sort(v)
  }
}

#ifdef SLOW_TRY
#define IN_TRY(j) false
#else
#define IN_TRY(j) IS_IN(ran, j)
#endif
/* A majority cannot reach it. What others say about a master may come late. */
#define IS_FAILING(v, j) ((IS_IN(down, j) && !IN_TRY(j)) || (LEADER(v) == j && IS_SAID_FAIL(v)))
inline fail(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(failed[v], j) && IS_FAILING(v, j) ->
    put(failed[v], j);
    if
    :: j != lead[last] -> put(behind, j)
    :: else
    fi;
    sort(v)
  }
}

#ifdef NEWS_LATE
#define HAS_NEWS(v) true
#else
#define HAS_NEWS(v) (epoch[v] == last && (v < NODES || !IS_IN(votes, v - B)))
#endif
/* A master that has slots loses the flag only after a while; a replica at once (hear). */
inline forgive(v, j) {
  d_step {
    v != j && OBSERVES(v) && !IS_IN(down, j) && IS_IN(failed[v], j) && LEADER(v) == j && HAS_NEWS(v) ->
    drop(failed[v], j);
    sort(v)
  }
}

inline observe(v, j) {
  if
  :: hear(v, j)
  :: fail(v, j)
  :: forgive(v, j)
  fi
}

/* Anybody tells a node of the shard who leads. */
inline update(n, v) {
  d_step { n != v && !IS_IN(down, n) && IS_UP(v) && epoch[n] < epoch[v] -> learn(n, epoch[v]) }
}

/* ---- Replication ---- */

#define IS_ACK(n) (phase == sent && LEADER(n) == target && !IS_IN(acked, n))
#ifdef LISTED_LATE
#define IS_LISTED(n) true
#else
#define IS_LISTED(n) IS_IN(mates[LEADER(n)], n)
#endif
#ifdef AFTER_ELECTION
/* So its data do not matter. */
#define NEVER_LEADS(n) ((n) == 0)
#else
#define NEVER_LEADS(n) false
#endif
#define LACKS(n, m) (!NEVER_LEADS(n) && IS_IN(has, m) != IS_IN(has, n))
inline sync(n) {
  d_step {
    !IS_IN(down, n) && !LEADS(n) && !IS_IN(down, LEADER(n)) && LEADS(LEADER(n)) && IS_LISTED(n) &&
      (IS_IN(unfit | behind, n) || LACKS(n, LEADER(n)) || IS_ACK(n)) ->
    if
    :: !NEVER_LEADS(n) -> has = (has & ~BIT(n)) | (IS_IN(has, LEADER(n)) << n)
    :: else
    fi;
    drop(unfit, n);
    if
    :: IS_ACK(n) -> put(acked, n)
    :: else
    fi;
    if
    :: LEADER(n) == lead[last] && FLAGS(n) < 2 -> drop(behind, n)
    :: else
    fi
  }
}

/* ---- Elections ---- */

#ifdef RESTARTED_STANDS
#define IS_FIT(n) true
#else
#define IS_FIT(n) (!IS_IN(unfit, n))
#endif
#define STANDS(n) (!IS_IN(down, n) && !LEADS(n) && IS_FIT(n) && \
  ((IS_IN(down, LEADER(n)) && !IN_TRY(LEADER(n))) || IS_SAID_FAIL(n)))
/* Redis compares with the master of the candidate as the voter lists it: that of an orphan is FAIL. */
#define VOTES_FOR(v, n) ((IS_IN(mates[v], n) && IS_IN(failed[v], LEADER(v))) || IS_IN(ORPHANS(v), n))
inline vote(v, n) {
  d_step {
    last < ELECTIONS && !IS_IN(votes, v - B) && (candidate == n || (candidate == NOBODY && STANDS(n))) &&
      epoch[v] == epoch[n] && HAS_NEWS(v) && VOTES_FOR(v, n) ->
    candidate = n;
    put(votes, v - B);
    sort(v)
  }
}

#ifdef SLOW_TRY
#define IS_BACK_IN_TRY(n) false
#else
/* During the try M was replaced, and became a replica. */
#define IS_BACK_IN_TRY(n) (phase == asking && target == n)
#endif
inline win(n) {
  d_step {
    candidate == n && !IS_IN(down, n) && votes == 3 && !IS_BACK_IN_TRY(n) ->
    endElection();
    put(behind, lead[last]);
    last++;
    lead[last] = n;
    learn(n, last);
    failed[n] = BIT(lead[last - 1]);
#if REPLICAS > 1
    slotless[n] = BIT(lead[last - 1]);
#endif
    if
    :: !IS_IN(has, n) && isConfirmed ->
#ifdef STRICT
       assert(false);
#else
       assert(IS_IN(behind, n));
#endif
       isConfirmed = false
    :: !IS_IN(has, n) && !isConfirmed && IS_IN(behind, n) -> isExcused = true
    :: else
    fi;
    drop(behind, n);
    drop(unfit, n)
  }
}
inline lose(n) {
  d_step { candidate == n -> endElection() }
}

/* ---- Processes ---- */

#define IS_OVER (phase == done && (!isConfirmed || last == ELECTIONS))

#ifdef STOPS
byte stops = STOPS;
#ifdef AFTER_ELECTION
#define MAY_STOP (n == 1 && stops > 0)
#else
#define MAY_STOP (stops > 0)
#endif
#define countStop() stops--
#else
#define MAY_STOP true
#define countStop() skip
#endif

proctype Node(byte n) provided (!IS_OVER) {
end:
  do
  :: d_step { !IS_IN(down, n) && MAY_STOP -> put(down, n); countStop() }
  :: d_step {
       IS_IN(down, n) ->
       drop(down, n);
#ifndef SLOW_TRY
       if
       :: phase == sent || phase == asking -> put(ran, n)
       :: else
       fi
#endif
     }
  /* Killed. */
  :: d_step {
       !LEADS(n) && !IS_IN(unfit, n) && (IS_IN(down, n) || MAY_STOP) ->
       if
       :: !IS_IN(down, n) -> countStop()
       :: else
       fi;
       put(down, n);
       put(unfit, n);
       drop(has, n);
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
  :: lose(n)
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
#ifndef AFTER_ELECTION
  :: vote(v, 0)
  :: vote(v, 1)
#endif
#if REPLICAS > 1
  :: vote(v, 2)
#endif
  od
}

/* ---- The proof ---- */

#ifdef MINORITY
#define MAJORITY 1
#else
#ifdef ONLY_M
#define MAJORITY 1
#else
#define MAJORITY 2
#endif
#endif
#ifdef ONE_FAIL
#define ENOUGH_FAIL 1
#else
#define ENOUGH_FAIL MAJORITY
#endif
#ifdef FLAGS_IGNORED
#define AGREES(v) (LEADER(v) == target)
#else
#define AGREES(v) (LEADER(v) == target && !IS_IN(failed[v], target))
#endif
#ifdef NO_ORPHANS
#define PROMOTABLE(v) mates[v]
#else
#define PROMOTABLE(v) (mates[v] | ORPHANS(v))
#endif
#ifdef PFAIL_IS_FAIL
#define EXCLUDES(v, j) IS_IN(failed[v] | (down & ~ran), j)
#else
#ifdef DISAGREEING_COUNTS
/* The new leader is no replica of M. */
#define EXCLUDES(v, j) (IS_IN(failed[v], j) || LEADER(v) == j)
#else
#ifdef MASTER_LEFT_OUT
#define EXCLUDES(v, j) (IS_IN(failed[v], j) || !IS_IN(mates[v] | ORPHANS(v), j))
#else
#define EXCLUDES(v, j) IS_IN(failed[v], j)
#endif
#endif
#endif

#define SIZE(set) (IS_IN(set, 0) + IS_IN(set, 1) + IS_IN(set, 2))
#ifdef STRICT
#define MIN_ACKS (acked != 0)
#else
#define MIN_ACKS true
#endif
#ifdef NO_WAIT
#define ARE_ENOUGH(needed) true
#else
#ifdef WAIT_ONE
#define ARE_ENOUGH(needed) (acked != 0 || (needed) == 0)
#else
#ifdef ANONYMOUS
#define ARE_ENOUGH(needed) (SIZE(acked) >= SIZE(needed) && MIN_ACKS)
#else
#define ARE_ENOUGH(needed) (((needed) & ~acked) == 0 && MIN_ACKS)
#endif
#endif
#endif

#ifdef ASKED_BEFORE
#define IS_ASKED (phase == idle)
#define IS_TARGET(n) (n == target)
#else
#define IS_ASKED (phase == asking)
#define IS_TARGET(n) true
#endif
inline send(n) {
  d_step {
    phase == idle && !IS_IN(down, n) && LEADS(n) && IS_TARGET(n) ->
    target = n;
#ifndef LOOK_UP
    put(has, n);
#endif
    isRightful = (n == lead[last]);
#ifndef SLOW_TRY
    ran = EVERY_NODE & ~down;
#endif
    phase = sent
  }
}

inline exclude(v, j) {
  if
  :: EXCLUDES(v, j) && !IS_IN(acked, j) && j != target -> excluded[j]++
  :: else
  fi
}
inline excludeAll(v) {
  exclude(v, 0);
  exclude(v, 1)
#if REPLICAS > 1
  ; exclude(v, 2)
#endif
}
inline answer(v) {
  d_step {
    IS_ASKED && OBSERVES(v) && (v >= NODES || v == target) && !IS_IN(asked, v) ->
    put(asked, v);
    if
    :: AGREES(v) ->
       agreed++;
       listed = listed | PROMOTABLE(v);
#ifndef DISAGREEING_COUNTS
       excludeAll(v)
#endif
    :: else
    fi
#ifdef DISAGREEING_COUNTS
    ; excludeAll(v)
#endif
    ; sort(v)
  }
}

#define IF_PROMOTABLE(j) (IS_IN(listed, j) && excluded[j] < ENOUGH_FAIL)
#if REPLICAS == 1
#define ALL_PROMOTABLE (IF_PROMOTABLE(0) | (IF_PROMOTABLE(1) << 1))
#else
#define ALL_PROMOTABLE (IF_PROMOTABLE(0) | (IF_PROMOTABLE(1) << 1) | (IF_PROMOTABLE(2) << 2))
#endif
#ifdef EARLIER_BATCH
#define IS_KNOWN isKnown
#else
#define IS_KNOWN true
#endif
#define IS_WHOLE (mates[target] != 0 && IS_KNOWN && !(mates[target] & failed[target]) && ARE_ENOUGH(mates[target]))
#ifdef UNPROVED
#define HOLDS_1 (phase == sent && !IS_IN(down, target) && LEADS(target))
#else
#define HOLDS_1 (phase == sent && !IS_IN(down, target) && LEADS(target) && IS_WHOLE)
#endif
#define HOLDS_2 (phase == asking && agreed >= MAJORITY && ARE_ENOUGH(ALL_PROMOTABLE))

inline confirm() {
#ifdef LOOK_UP
  assert(isRightful);
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
#endif
#ifdef EARLIER_BATCH
  isKnown = false;
#endif
  endTry()
}

#ifdef EARLIER_BATCH
/* Step 2 for node 1, at one moment. */
#define LISTS_1(v) (LEADER(v) == 1 && !IS_IN(failed[v], 1))
#define IS_COPY(n) (!IS_IN(down | unfit, n) && LEADER(n) == 1 && IS_IN(mates[1], n))
#define COPIES (BIT(1) | IS_COPY(0) | (IS_COPY(2) << 2))
#define HELD(v, w) (LISTS_1(v) && LISTS_1(w) && \
  ((mates[1] | PROMOTABLE(v) | PROMOTABLE(w)) & ~(failed[v] & failed[w]) & ~COPIES) == 0)
#endif

proctype Client() {
end:
  do
  :: send(0)
  :: send(1)
#if REPLICAS > 1
  :: send(2)
#endif
  /* The reply. */
  :: d_step {
       phase == sent && !IS_IN(down, target) && LEADS(target) && !IS_WHOLE ->
#ifdef EARLIER_BATCH
       isKnown = false;
#endif
#ifndef M_LIST_UNUSED
       listed = listed | mates[target];
#endif
       phase = asking
     }
  :: answer(0)
  :: answer(1)
#if REPLICAS > 1
  :: answer(2)
#endif
#ifndef ONLY_M
  :: answer(B)
  :: answer(C)
#endif
  :: d_step { HOLDS_1 || HOLDS_2 -> confirm() }
#ifdef EARLIER_BATCH
  :: d_step {
       phase == idle && !isKnown && OBSERVES(1) && (HELD(1, B) || HELD(1, C) || HELD(B, C)) -> isKnown = true
     }
#endif
  :: d_step { phase == sent || phase == asking -> endTry() }
  od
}

#ifdef WITNESS
/* pan lists the statements that it never reached. */
#define SEEN(condition) atomic { (condition) -> skip }
proctype Witness() {
end:
  do
  /* Step 1 holds. Step 2 holds. */
  :: SEEN(HOLDS_1)
  :: SEEN(HOLDS_2)
#ifndef LOOK_UP
  /* An election keeps a confirmed write. */
  :: SEEN(isConfirmed && last == ELECTIONS && IS_IN(has, lead[last]))
#endif
#ifdef AFTER_ELECTION
  /* Only an orphan prevents the proof. */
  :: SEEN(phase == asking && agreed == 3 && ALL_PROMOTABLE == (acked | BIT(2)) &&
       mates[B] == BIT(0) && mates[C] == BIT(0) && mates[1] == BIT(0))
#else
#ifndef STRICT
  /* Confirmed with one copy. */
  :: SEEN(HOLDS_2 && acked == 0)
#endif
  /* Refused: M was replaced. A quiet replica could be promoted. */
  :: SEEN(phase == asking && !isRightful && asked == (BIT(target) | BIT(B) | BIT(C)) && agreed == 1)
  :: SEEN(phase == asking && isRightful && agreed == 3 && ALL_PROMOTABLE != 0 && acked == 0)
#if ELECTIONS > 1
  /* The old master is a replica that has synced, and its confirmation counts. */
  :: SEEN(HOLDS_1 && target == 1 && acked == BIT(0))
#endif
#if REPLICAS > 1
  /* One replica confirms, the other one is FAIL. */
  :: SEEN(HOLDS_2 && (acked == BIT(1) || acked == BIT(2)))
#endif
#endif
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
    epoch[0] = 1;
    epoch[B] = 1;
    epoch[C] = 1;
    mates[0] = 0;
    mates[1] = BIT(0);
    mates[B] = BIT(0);
    mates[C] = BIT(0);
#endif
    run Node(0);
    run Node(1);
#if REPLICAS > 1
    run Node(2);
#endif
    run Voter(B);
    run Voter(C);
    run Client()
#ifdef WITNESS
    ; run Witness()
#endif
  }
}
