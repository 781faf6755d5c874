# One cache variable drives every sanitizer build; the presets set it.
if(VIAND_SANITIZE)
  add_compile_options(-fsanitize=${VIAND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VIAND_SANITIZE})
  # The vptr check wants type information that libarrow (built elsewhere) does not export.
  if(VIAND_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
if(VIAND_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
