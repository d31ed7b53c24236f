/* boot.pml - the boot records: what a device does to them, with the power cut
 * in any flash operation, as often as it likes.
 *
 * Two OTA slots, no factory program, rollback on, a trial of one start. Flash
 * operations are those of docs/decisions/0010-otadata-log.md; the bootloader's
 * decision is that of docs/boot.md. Both are written here once more, by hand;
 * test/model compares every row of them with the code (-DTABLE prints them).
 *
 * Checked in every state that a cut can leave: something boots, and its image
 * is whole; a change reads as the old record or the new one; no sector is
 * erased unless the other holds the newest open intent about it; the running
 * slot is not written, and its record stays while another slot is made the
 * next one; what is started was marked PENDING before.
 *
 * A record is one byte: its sequence, 1 to 9, times 8, and its state. Between
 * changes sequences are counted from the bottom again: only their order and
 * their remainder matter. */

#define NEW 0
#define PENDING 1
#define VALID 2
#define INVALID 3
#define ABORTED 4
#define UNDEFINED 5

#define BLANK 255 /* erased */
#define BAD 254   /* its CRC is wrong */
#define BADI 253  /* the same, and the state reads INVALID */
#define NONE 2

#define REC(q, s) (((q) << 3) | (s))
#define SEQ(r) ((r) >> 3)
#define STATE(r) ((r) & 7)
#define SLOT(r) ((SEQ(r) + 1) % 2) /* sequence 1 names slot 0 */
#define SOUND(r) ((r) < BADI)
#define REFUSED(r) (STATE(r) == INVALID || STATE(r) == ABORTED)
#define USABLE(r) (SOUND(r) && !REFUSED(r))
#define NOT_TO_FOLLOW(r) \
    ((r) == BLANK || (r) == BADI || (SOUND(r) && REFUSED(r)))

#ifdef TABLE
#define POWER_GOES false
#define SHOW(i) print_op()
#define CHECK() skip
#else
#define POWER_GOES true
#define SHOW(i) skip
#define CHECK() check()
#endif

/* --- the flash ------------------------------------------------------------ */

byte raw[2];        /* the record in each sector */
byte ent[2];        /* the newest change in each sector's log: 0, there is none,
                       or what the other sector's record becomes */
bit open[2];        /* ... and it is not done */
byte newest = NONE; /* the sector whose entry is the newer one */
bit clean[2];       /* the record's bytes are erased, every bit of them */
bit good[2];        /* the slot's image is whole */

/* --- what a reader sees --------------------------------------------------- */

byte v[2];

inline look()
{
    v[0] = raw[0];
    v[1] = raw[1];
    if
    :: newest != NONE && open[newest] -> v[1 - newest] = ent[newest]
    :: else
    fi
}

/* The record that leads, of a pair. */
inline lead_of(r0, r1, out)
{
    if
    :: USABLE(r0) && USABLE(r1) && SEQ(r1) > SEQ(r0) -> out = 1
    :: USABLE(r0) && USABLE(r1) && SEQ(r1) <= SEQ(r0) -> out = 0
    :: USABLE(r0) && !USABLE(r1) -> out = 0
    :: !USABLE(r0) && USABLE(r1) -> out = 1
    :: else -> out = NONE
    fi
}

/* --- the bootloader's decision -------------------------------------------- */

byte p[2]; /* the records as it would write them */
byte lead, start, choice;
bit first_record;

inline abort_pending(i)
{
    if
    :: SOUND(p[i]) && STATE(p[i]) == PENDING -> p[i] = REC(SEQ(p[i]), ABORTED)
    :: else
    fi
}

/* Of v: choice, and p. start NONE: from the bottom. */
inline plan()
{
    p[0] = v[0];
    p[1] = v[1];
    abort_pending(0);
    abort_pending(1);
    do
    :: first_record = 0;
       start = NONE;
       lead_of(p[0], p[1], lead);
       if
       :: NOT_TO_FOLLOW(p[0]) && NOT_TO_FOLLOW(p[1]) ->
          lead = NONE;
          start = 0;
          first_record = !SOUND(p[0]) && !SOUND(p[1])
       :: else ->
          if
          :: lead != NONE -> start = SLOT(p[lead])
          :: else
          fi
       fi;
       if
       :: lead == NONE -> break
       :: else ->
          if
          :: STATE(p[lead]) == NEW && !good[start] ->
             p[lead] = REC(SEQ(p[lead]), ABORTED)
          :: else -> break
          fi
       fi
    od;
    if
    :: start == 1 && good[1] -> choice = 1
    :: start == 1 && !good[1] && good[0] -> choice = 0
    :: start != 1 && good[0] -> choice = 0
    :: start != 1 && !good[0] && good[1] -> choice = 1
    :: else -> choice = NONE
    fi;
    if
    :: choice != NONE && first_record -> p[0] = REC(choice + 1, VALID)
    :: choice != NONE && !first_record && lead != NONE ->
       if
       :: STATE(p[lead]) == NEW -> p[lead] = REC(SEQ(p[lead]), PENDING)
       :: else
       fi
    :: else
    fi
}

/* --- which records an activation changes ---------------------------------- */

byte cur;     /* the slot that runs */
byte want;    /* the slot that is to boot next */
bit low;      /* the log is nearly full */
bit moves;
byte house_idx, house_rec, target_idx, target_rec;
byte own, keep, base, q;
bit same;

/* The smallest sequence above `after` that names the slot. */
inline next_seq(after, slot, out)
{
    out = slot + 1;
    do
    :: out <= after -> out = out + 2
    :: else -> break
    od
}

inline find_running(i)
{
    if
    :: SOUND(v[i]) && SLOT(v[i]) == cur ->
       own = i;
       if
       :: !REFUSED(v[i]) && (keep == NONE || i == lead) -> keep = i
       :: else
       fi
    :: else
    fi
}

/* Of v, cur, want, low. */
inline plan_activation()
{
    moves = 0;
    keep = NONE;
    own = NONE;
    same = 0;
    base = 0;
    target_idx = 0;
    house_idx = 0;
    house_rec = 0;
    lead_of(v[0], v[1], lead);
    find_running(0);
    find_running(1);
    if
    :: lead != NONE ->
       base = SEQ(v[lead]);
       same = SLOT(v[lead]) == want;
       target_idx = (same -> lead : 1 - lead)
    :: else
    fi;
    q = (lead == NONE -> own : keep); /* what refused it stays, too */
    if
    :: want != cur && target_idx == q -> target_idx = 1 - q
    :: else
    fi;
    if
    :: own == NONE && want != cur -> /* the running slot is given a record */
       moves = 1;
       house_idx = (keep == NONE && lead == NONE -> target_idx
                                                 : 1 - (keep == NONE -> lead : keep));
       next_seq(base, cur, q);
       house_rec = REC(q, VALID)
    :: else ->
       if
       :: low && (keep != NONE || lead != NONE) ->
          moves = 1;
          keep = (keep == NONE -> lead : keep);
          house_idx = 1 - keep;
          next_seq(base, SLOT(v[keep]), q);
          house_rec = REC(q, STATE(v[keep]))
       :: else
       fi
    fi;
    if
    :: moves ->
       target_idx = 1 - house_idx;
       next_seq(SEQ(house_rec), want, q)
    :: !moves && same -> q = base
    :: else -> next_seq(base, want, q)
    fi;
    target_rec = REC(q, NEW)
}

/* --- a change, and where the power may go in it --------------------------- */

byte redone;     /* the record whose change is made again */
byte chg = NONE; /* the record that is being changed... */
byte was, will, other; /* ... from, to; and its sibling */
bit fallback;    /* a record of the running slot has to stay */
bit keeps;

inline erased(i)
{
    raw[i] = BLANK;
    clean[i] = 1;
    ent[i] = 0;
    open[i] = 0;
    if
    :: newest == (i) -> newest = (ent[1 - (i)] -> 1 - (i) : NONE)
    :: else
    fi
}

/* Half of the bits, whichever, have risen. An older entry may be gone, or be
 * open again. */
inline half_erased(i)
{
    clean[i] = 0;
    if
    :: raw[i] = BAD
    :: raw[i] = BADI
    :: raw[i] = BLANK
    :: SOUND(raw[i]) && STATE(raw[i]) == NEW -> raw[i] = REC(SEQ(raw[i]), PENDING)
    :: SOUND(raw[i]) && STATE(raw[i]) != ABORTED -> raw[i] = REC(SEQ(raw[i]), INVALID)
    :: SOUND(raw[i]) -> raw[i] = REC(SEQ(raw[i]), UNDEFINED)
    :: skip
    fi;
    if
    :: ent[i] != 0 -> open[i] = 1
    :: ent[i] = 0; open[i] = 0
    :: skip
    fi;
}

inline flash_erase(i)
{
    assert(newest == 1 - (i) && open[1 - (i)] && ent[1 - (i)] != 0);
    if
    :: atomic { erased(i) }
    :: POWER_GOES -> half_erased(i); goto off
    :: POWER_GOES -> goto off
    fi
}

inline flash_record(i, r)
{
    assert(clean[i]); /* bits can only be cleared */
    if
    :: r == BLANK
    :: r != BLANK -> atomic { raw[i] = r; clean[i] = 0 }
    :: POWER_GOES && r != BLANK -> raw[i] = BAD; clean[i] = 0; goto off
    :: POWER_GOES && r != BLANK -> raw[i] = BADI; clean[i] = 0; goto off
    :: POWER_GOES -> goto off
    fi
}

inline flash_intent(j, r)
{
    if
    :: atomic { ent[j] = r; open[j] = 1; newest = j }
    :: POWER_GOES -> goto off /* torn or not begun: it does not count */
    fi
}

inline flash_done(j)
{
    if
    :: open[j] = 0
    :: POWER_GOES -> goto off
    fi
}

inline redo()
{
    if
    :: newest != NONE && open[newest] ->
       redone = 1 - newest;
       flash_erase(redone);
       flash_record(redone, ent[newest]);
       flash_done(newest)
    :: else
    fi
}

inline change(i, r)
{
    redo();
    atomic { look() };
    if
    :: v[i] == r
    :: else ->
       atomic { was = v[i]; will = r; other = v[1 - (i)]; chg = i };
       flash_intent(1 - (i), r);
       SHOW(i);
       flash_erase(i);
       SHOW(i);
       flash_record(i, r);
       SHOW(i);
       flash_done(1 - (i));
       SHOW(i);
       atomic { look(); CHECK(); chg = NONE; was = 0; will = 0; other = 0 }
    fi
}

/* What must hold wherever the power goes. */
inline check()
{
    look();
    assert(chg == NONE || v[chg] == was || v[chg] == will);
    assert(chg == NONE || v[1 - chg] == other);
    keeps = (USABLE(v[0]) && SLOT(v[0]) == cur) ||
            (USABLE(v[1]) && SLOT(v[1]) == cur);
    assert(!fallback || keeps);
    plan();
    assert(choice != NONE);
    assert(good[choice])
}

#ifdef TABLE
#include "boot_table.pml"
#else

/* --- the device ----------------------------------------------------------- */

/* Nothing is under way: the two sequences, counted from the bottom. */
inline settle()
{
    q = (SOUND(raw[0]) && SOUND(raw[1]) && SEQ(raw[1]) > SEQ(raw[0]));
    if
    :: SOUND(raw[0]) && SOUND(raw[1]) ->
       raw[q] = REC(SLOT(raw[q]) + 3, STATE(raw[q]));
       raw[1 - q] = REC(SLOT(raw[1 - q]) + 1, STATE(raw[1 - q]))
    :: SOUND(raw[0]) && !SOUND(raw[1]) ->
       raw[0] = REC(SLOT(raw[0]) + 1, STATE(raw[0]))
    :: !SOUND(raw[0]) && SOUND(raw[1]) ->
       raw[1] = REC(SLOT(raw[1]) + 1, STATE(raw[1]))
    :: else
    fi;
    /* Entries that are done say nothing any more. */
    ent[0] = (ent[0] -> REC(1, VALID) : 0);
    ent[1] = (ent[1] -> REC(1, VALID) : 0);
    p[0] = 0; p[1] = 0; v[0] = 0; v[1] = 0; q = 0;
    lead = 0; start = 0; choice = 0; first_record = 0; keep = 0; base = 0;
    same = 0; own = 0; low = 0; moves = 0; want = 0; keeps = 0;
    house_idx = 0; house_rec = 0; target_idx = 0; target_rec = 0
}

bit pending[2]; /* at the reset */
byte mine; /* the record of the running program */
byte m[2];
byte turn;

inline find_mine()
{
    look();
    lead_of(v[0], v[1], lead);
    mine = NONE;
    if
    :: lead != NONE -> mine = (SLOT(v[lead]) == cur -> lead : NONE)
    :: else
    fi
}

active proctype device()
{
    if /* a program in slot 0, that no record names yet or one does */
    :: raw[0] = BLANK
    :: raw[0] = REC(1, VALID)
    :: raw[0] = REC(1, UNDEFINED)
    fi;
    raw[1] = BLANK;
    clean[1] = 1;
    clean[0] = raw[0] == BLANK;
    good[0] = 1;
    cur = NONE;

boot:
    redo();
    atomic {
        look();
        pending[0] = SOUND(v[0]) && STATE(v[0]) == PENDING;
        pending[1] = SOUND(v[1]) && STATE(v[1]) == PENDING;
        plan();
        cur = choice;
        m[0] = p[0];
        m[1] = p[1];
        turn = (SOUND(p[0]) && STATE(p[0]) == ABORTED -> 0 : 1)
    };
    assert(cur != NONE && good[cur]);
    /* What is given up is written first. */
    change(turn, m[turn]);
    change(1 - turn, m[1 - turn]);
    atomic {
        look();
        lead_of(v[0], v[1], lead);
        assert(lead == NONE || SLOT(v[lead]) != cur || STATE(v[lead]) != NEW);
        /* A trial has one start. */
        assert(!pending[0] || STATE(v[0]) != PENDING);
        assert(!pending[1] || STATE(v[1]) != PENDING);
        pending[0] = 0;
        pending[1] = 0;
        settle();
        m[0] = 0; m[1] = 0; turn = 0
    };

app:
    atomic { find_mine() };
    if
    :: mine != NONE && STATE(v[mine]) == PENDING -> goto trial
    :: else
    fi;
    /* An update. The slot that is written does not run and is not what a
     * reset would start without a bad image being noticed. */
    atomic { want = 1 - cur; assert(want != cur) };
    good[want] = 0;
    atomic { check() };
    if
    :: goto off /* the download ends here */
    :: good[want] = 1
    fi;
    atomic { check() };
    if
    :: low = 0
    :: low = 1
    :: goto off
    fi;
    atomic {
        look();
        plan_activation();
        /* A record that may be followed stays until the trial is over. */
        fallback = (USABLE(v[0]) && SLOT(v[0]) == cur) ||
                   (USABLE(v[1]) && SLOT(v[1]) == cur);
        m[0] = house_rec;
        m[1] = target_rec;
        turn = target_idx
    };
    if
    :: moves -> change(1 - turn, m[0])
    :: else
    fi;
    change(turn, m[1]);
    atomic {
        look();
        plan();
        assert(choice == want);
        fallback = 0;
        m[0] = 0; m[1] = 0; turn = 0;
        settle()
    };
    if
    :: goto boot
    :: goto app /* another update, before the reset */
    fi;

trial:
    if
    :: atomic { turn = mine; m[0] = REC(SEQ(v[mine]), VALID) };
       change(turn, m[0]);
       atomic { settle(); m[0] = 0; turn = 0 };
       goto app
    :: good[1 - cur] -> /* it gives itself up; else it may not */
       atomic { turn = mine; m[0] = REC(SEQ(v[mine]), INVALID) };
       change(turn, m[0]);
       goto off
    :: goto off /* it crashes */
    fi;

off:
    atomic {
        check();
        pending[0] = 0; pending[1] = 0;
        chg = NONE; was = 0; will = 0; other = 0;
        fallback = 0; redone = 0; m[0] = 0; m[1] = 0; turn = 0; mine = 0; cur = NONE;
        p[0] = 0; p[1] = 0; v[0] = 0; v[1] = 0; q = 0;
        lead = 0; start = 0; choice = 0; first_record = 0; keep = 0; base = 0;
        same = 0; own = 0; low = 0; moves = 0; want = 0; keeps = 0;
        house_idx = 0; house_rec = 0; target_idx = 0; target_rec = 0
    };
    if /* an image decays; one that can take its place is there */
    :: good[0] && good[1] -> good[0] = 0
    :: good[0] && good[1] -> good[1] = 0
    :: skip
    fi;
    goto boot
}
#endif
