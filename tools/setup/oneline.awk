# oneline.awk - see source_stanzas in source.sh. One line is one archive:
#   deb [option=value ...] URI suite component...
/^[ \t]*deb(-src)?[ \t]/ {
    sub(/#.*/, "")
    options = ""
    if (match($0, /\[[^]]*\]/)) {
        options = substr($0, RSTART + 1, RLENGTH - 2)
        $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
    }
    if ($3 != rel)
        next
    main = 0
    for (i = 4; i <= NF; i++)
        if ($i == "main")
            main = 1
    if (!main || seen[$2]++)
        next
    print "Types: deb-src"
    print "URIs: " $2
    print "Suites: " suite
    print "Components: main"
    if (option("trusted") != "")
        print "Trusted: " option("trusted")
    print "Signed-By: " (option("signed-by") != "" ? option("signed-by") : keyring)
    print ""
}
function option(name,    n, word, i) {
    n = split(options, word, /[ \t]+/)
    for (i = 1; i <= n; i++)
        if (index(word[i], name "=") == 1)
            return substr(word[i], length(name) + 2)
    return ""
}
