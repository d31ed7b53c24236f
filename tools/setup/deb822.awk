# deb822.awk - see source_stanzas in source.sh. One record is one stanza.
# Fields may be continued on lines that begin with a blank; a Signed-By may be
# a whole key, so continuation lines are kept as they are.
function add(name, text) {
    if (name in field)
        text = field[name] "\n" text
    field[name] = text
}
{
    split("", field)
    last = ""
    n = split($0, line, "\n")
    for (i = 1; i <= n; i++) {
        if (line[i] ~ /^#/)
            continue
        if (line[i] ~ /^[ \t]/) {
            if (last != "")
                add(last, line[i])
            continue
        }
        colon = index(line[i], ":")
        if (!colon)
            continue
        last = tolower(substr(line[i], 1, colon - 1))
        value = substr(line[i], colon + 1)
        sub(/^[ \t]+/, "", value)
        add(last, value)
    }
    if (!has(field["types"], "deb") && !has(field["types"], "deb-src"))
        next
    if (tolower(field["enabled"]) ~ /^(no|false|0)/)
        next
    if (!has(field["suites"], rel) || !has(field["components"], "main"))
        next
    print "Types: deb-src"
    print "URIs: " field["uris"]
    print "Suites: " suite
    print "Components: main"
    if (field["trusted"] != "")
        print "Trusted: " field["trusted"]
    print "Signed-By: " (field["signed-by"] != "" ? field["signed-by"] : keyring)
    print ""
}
function has(words, word) {
    gsub(/[ \t\n]+/, " ", words)
    return index(" " words " ", " " word " ") > 0
}
