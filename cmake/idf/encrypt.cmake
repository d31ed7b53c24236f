# create_esp_enc_img(), as the component esp_encrypted_img gives it to projects.

# The image input, encrypted for the owner of key, is output: when the image is
# made, or by the target enc_bin_target_<name of output>.
function(create_esp_enc_img input key output app)
    if(NOT EXISTS "${key}")
        porta_fail("create_esp_enc_img: the key ${key} is not there; make one "
            "with: porta key new --scheme rsa3072 -o ${key}")
    endif()
    get_filename_component(name "${output}" NAME_WE)
    add_custom_command(OUTPUT "${output}"
        COMMAND "${PORTA_COMMAND}" image encrypt --key "${key}" "${input}" -o
            "${output}"
        DEPENDS "${input}" "${key}" VERBATIM
        COMMENT "Encrypting ${name}")
    add_custom_target(enc_bin_target_${name} ALL DEPENDS "${output}")
    # The program's target is made when all components are known.
    add_dependencies(enc_bin_target_${name} "${CMAKE_PROJECT_NAME}.elf_flash")
endfunction()
