/* session.pml - two tasks that update one device at once, with the power cut
 * at any point: esp_https_ota_begin, _perform, _finish, _abort on one slot.
 *
 * What a session does at each call is in go(), by hand; test/model compares
 * every row of it with the code (-DTABLE prints them). How the records change
 * is boot.pml's.
 *
 * Checked: one session at a time writes the slot; an image head stands in it
 * only over an image that is whole and was verified, so that nothing else
 * boots; the records name the slot only after that; each session ends, and
 * its caller was told how. */

#define NONE 0 /* a session's state: not begun */
#define BEGUN 1 /* nothing was asked for yet */
#define OPEN 2
#define WHOLE 3 /* all bytes came */
#define BROKEN 4
#define ENDED 5
#define STATES 6

#define BEGIN 0
#define TAKEN 1 /* begin, while another session has the slot */
#define MORE 2  /* perform: bytes come, and not the last ones */
#define LAST 3  /* perform: the last ones */
#define LAST_BAD 4 /* ... and what came does not verify */
#define FAILS 5 /* perform: the server does not go on */
#define FINISH 6
#define ABORT 7
#define CALLS 8

#define GOES_ON 0 /* what the caller is told */
#define DONE 1
#define ERROR 2

/* to: NONE where a caller cannot make this call. boots: the new image does,
 * from the next reset on. */
inline go(s, call, to, told, boots)
{
    to = NONE;
    told = ERROR;
    boots = 0;
    if
    :: s == NONE && call == BEGIN -> to = BEGUN; told = DONE
    :: s == NONE && call == TAKEN -> to = ENDED
    :: s == BEGUN && call == MORE -> to = OPEN; told = GOES_ON
    /* As the reference says of a session that was not used. */
    :: s == BEGUN && call == FINISH -> to = ENDED; told = DONE
    :: s == BEGUN && call == ABORT -> to = ENDED; told = DONE
    :: s == OPEN && call == MORE -> to = OPEN; told = GOES_ON
    :: s == OPEN && call == LAST -> to = WHOLE; told = DONE
    :: s == OPEN && call == LAST_BAD -> to = BROKEN
    :: s == OPEN && call == FAILS -> to = BROKEN
    :: s == OPEN && call == FINISH -> to = ENDED /* it is not whole */
    :: s == OPEN && call == ABORT -> to = ENDED; told = DONE
    :: s == WHOLE && call == MORE -> to = WHOLE /* too often */
    :: s == WHOLE && call == FINISH -> to = ENDED; told = DONE; boots = 1
    :: s == WHOLE && call == ABORT -> to = ENDED; told = DONE
    :: s == BROKEN && call == MORE -> to = BROKEN
    :: s == BROKEN && call == FINISH -> to = ENDED
    :: s == BROKEN && call == ABORT -> to = ENDED; told = DONE
    :: else
    fi
}

#ifdef TABLE

byte s, call, to, told, boots;

active proctype table()
{
    for (s : 0 .. STATES - 1) {
        for (call : 0 .. CALLS - 1) {
            go(s, call, to, told, boots);
            if
            :: to != NONE ->
               printf("%d %d -> %d %d %d\n", s, call, to, told, boots)
            :: else
            fi
        }
    }
}

#else

#define NOBODY 9
#define NO_BODY 0 /* what the slot holds behind the head */
#define PART 1
#define GOOD 2
#define DAMAGED 3

byte writer = NOBODY;
bit off;   /* the power is gone */
bit head;  /* the first 16 bytes stand in the slot */
byte body;
bit named; /* the records say: this slot */
byte ended;

inline look()
{
    assert(!head || body == GOOD)
}

/* A call that writes: the slot is this session's. */
inline write(what)
{
    atomic {
        assert(writer == _pid);
        head = 0;
        body = what;
        look()
    }
}

proctype task()
{
    byte state, to, told, call;
    bit boots;

    {
        do
        :: state == ENDED -> break
        :: else ->
           atomic {
               if
               :: state == NONE && writer == NOBODY -> call = BEGIN
               :: state == NONE && writer != NOBODY -> call = TAKEN
               :: state == BEGUN || state == OPEN -> call = MORE
               :: state == OPEN -> call = LAST
               :: state == OPEN -> call = LAST_BAD
               :: state == OPEN -> call = FAILS
               :: state != NONE -> call = FINISH
               :: state == WHOLE || state == BROKEN -> call = MORE
               :: state != NONE -> call = ABORT
               fi;
               go(state, call, to, told, boots);
               assert(to != NONE);
               if
               :: to == BEGUN -> writer = _pid
               :: else
               fi
           };
           if
           :: to == OPEN -> write(PART)
           :: state == OPEN && call == LAST -> write(GOOD)
           :: state == OPEN && call == LAST_BAD -> write(DAMAGED)
           :: else
           fi;
           if
           :: boots ->
              atomic { assert(writer == _pid); head = 1; look() };
              atomic { assert(head && body == GOOD); named = 1 }
           :: else
           fi;
           atomic {
               assert(to != ENDED || told != GOES_ON); /* nobody guesses */
               if
               :: to == ENDED && writer == _pid -> writer = NOBODY
               :: else
               fi;
               state = to;
               to = 0; told = 0; call = 0; boots = 0
           }
        od;
        ended++
    } unless { off }
}

active proctype device()
{
    atomic {
        run task();
        run task()
    };
    if
    :: ended == 2 /* both callers know */
    :: off = 1 -> /* what boots then is the old image, or a whole new one */
       assert(!head || body == GOOD)
    fi
}
#endif
