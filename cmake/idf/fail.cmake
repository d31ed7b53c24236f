# One sentence for the person who builds; `porta build` finds it in the file.
function(porta_fail)
    string(CONCAT text ${ARGN})
    if(CMAKE_BINARY_DIR)
        file(WRITE "${CMAKE_BINARY_DIR}/porta-error.txt" "${text}\n")
    endif()
    message(FATAL_ERROR "${text}")
endfunction()
