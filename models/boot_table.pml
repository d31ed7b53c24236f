/* boot_table.pml - every row of what boot.pml decides, for test/model: the same
 * rows are asked of the code, in this order.
 *
 * plan RECORD RECORD GOOD GOOD -> CHOICE RECORD RECORD
 * activate RECORD RECORD RUNS WANT LOW -> MOVES INDEX RECORD INDEX RECORD
 * change RECORD RECORD INDEX RECORD, then for each operation of it
 * op SECTOR SECTOR READS READS
 * Kinds: blank, bad, bad and INVALID, then the six states. */

#define KINDS 9
#define OF_KIND(k, q) \
    ((k) == 0 -> BLANK : ((k) == 1 -> BAD : ((k) == 2 -> BADI : REC(q, (k) - 3))))

byte k0, k1, s0, s1, a, b, c;

inline print_op()
{
    look();
    printf("op %d %d %d %d\n", raw[0], raw[1], v[0], v[1])
}

/* a: which of the two leads. */
inline records()
{
    v[0] = OF_KIND(k0, s0 + 1 + (a == 0 -> 2 : 0));
    v[1] = OF_KIND(k1, s1 + 1 + (a == 1 -> 2 : 0))
}

inline print_plan()
{
    for (b : 0 .. 1) {
        for (c : 0 .. 1) {
            good[0] = b;
            good[1] = c;
            records();
            plan();
            printf("plan %d %d %d %d -> %d %d %d\n", v[0], v[1], b, c, choice,
                   p[0], p[1])
        }
    }
}

inline print_activation()
{
    for (b : 0 .. 1) {
        for (c : 0 .. 3) {
            cur = b;
            want = c % 2;
            low = c / 2;
            records();
            plan_activation();
            printf("activate %d %d %d %d %d -> %d %d %d %d %d\n", v[0], v[1],
                   cur, want, low, moves, house_idx, house_rec, target_idx,
                   target_rec)
        }
    }
}

inline print_change(i)
{
    for (b : 0 .. 5) {
        records();
        raw[0] = v[0];
        raw[1] = v[1];
        ent[0] = 0;
        ent[1] = 0;
        open[0] = 0;
        open[1] = 0;
        newest = NONE;
        printf("change %d %d %d %d\n", v[0], v[1], i, REC(6, b));
        change(i, REC(6, b))
    }
}

active proctype table()
{
    for (k0 : 0 .. KINDS - 1) {
        for (k1 : 0 .. KINDS - 1) {
            for (s0 : 0 .. (k0 < 3 -> 0 : 1)) {
                for (s1 : 0 .. (k1 < 3 -> 0 : 1)) {
                    for (a : 0 .. 1) {
                        print_plan();
                        print_activation()
                    }
                }
            }
            s0 = 0;
            s1 = 1;
            a = 1;
            print_change(0);
            print_change(1)
        }
    };
off:
    skip
}
