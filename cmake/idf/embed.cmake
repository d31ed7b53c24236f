# Files inside a program, as ESP-IDF's build embeds them.

# porta_embed(<out> <file> TEXT|BINARY <name or ""> [file that must be first ...])
# The C source around the bytes: symbols _binary_<name>_start and _end, text
# with one NUL inside the range, and <name>_length.
function(porta_embed out file kind name)
    if(name STREQUAL "")
        get_filename_component(name "${file}" NAME)
    endif()
    string(MAKE_C_IDENTIFIER "${name}" symbol)
    set(nul "")
    if(kind STREQUAL "TEXT")
        set(nul "\".byte 0\\n\"\n        ")
    endif()
    set(source "${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c")
    file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
__asm__(".section .rodata.embed_@symbol@, \"a\"\n"
        ".balign 4\n"
        ".global _binary_@symbol@_start\n"
        "_binary_@symbol@_start:\n"
        ".incbin \"@file@\"\n"
        @nul@".global _binary_@symbol@_end\n"
        "_binary_@symbol@_end:\n"
        ".balign 4\n"
        ".global @symbol@_length\n"
        "@symbol@_length:\n"
        ".long _binary_@symbol@_end - _binary_@symbol@_start\n"
        ".previous\n");
]])
    set_source_files_properties("${source}" PROPERTIES
        OBJECT_DEPENDS "${file};${ARGN}")
    set(${out} "${source}" PARENT_SCOPE)
endfunction()
