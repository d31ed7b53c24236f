# steps.sh - runs commands one after the other and adds up what they counted;
# sourced by .ci/run and tools/check_deep.sh (bash).
#
# Every step runs even if an earlier one failed. A step that counts cases ends
# with "N passed, N failed"; any other step is one case. Set `logs` first.

steps_passed=0
steps_failed=0
steps_lines=()
steps_reasons=()

# What a log says about its failures: their names in a summary, then pytest's
# "E", cmocka's and the compiler's errors; of a log with none of these, its end.
steps_reason() {
    local found
    found=$(grep -aE '^FAILED ' "$1" | sort -u | head -n 15
        grep -aE '^E  +[^ ]|^\[  (ERROR|  LINE)   |: error: ' "$1" | head -n 20)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
    else
        tail -n 10 "$1"
    fi | cut -c 1-240
}

# step NAME COMMAND...: runs it, keeps its output in $logs/NAME.log.
step() {
    local name=$1 log=$logs/$1.log start=$SECONDS status=0 counted
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$log" || status=$?
    counted=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    counted=${counted:-$((status == 0)) passed, $((status != 0)) failed}
    # shellcheck disable=SC2086 # four words
    set -- $counted
    if [ "$status" != 0 ] && [ "$3" = 0 ]; then
        set -- "$1" passed, 1
    fi
    steps_passed=$((steps_passed + $1))
    steps_failed=$((steps_failed + $3))
    if [ "$status" != 0 ]; then
        steps_reasons+=("--- why $name failed:" "$(steps_reason "$log")")
    fi
    printf '=== %s: %s passed, %s failed, exit %s, %s s\n' \
        "$name" "$1" "$3" "$status" "$((SECONDS - start))"
    steps_lines+=("$(printf '%-12s %5s passed %3s failed %5s s' \
        "$name" "$1" "$3" "$((SECONDS - start))")")
}

# skip NAME WHY...: a step that this machine cannot take.
skip() {
    printf '\n=== %s: skipped, %s\n' "$1" "${*:2}"
    steps_lines+=("$(printf '%-12s skipped, %s' "$1" "${*:2}")")
}

# Why steps failed, a line for each step, the sum: the end of a long log is
# what is kept of it. Fails if anything did, or nothing ran.
steps_end() {
    printf '\n'
    [ "${#steps_reasons[@]}" = 0 ] || printf '%s\n' "${steps_reasons[@]}" ''
    printf '%s\n' "${steps_lines[@]}"
    echo "$steps_passed passed, $steps_failed failed"
    [ "$steps_failed" = 0 ] && [ "$steps_passed" != 0 ]
}
