# cmake --install: the program, the C++ library with its CMake package, the templates, and the Arrow and XGBoost that
# they were built with.
#
#   bin/viand                          the program
#   include/viand/*.h                  the C++ API; needs no Arrow
#   lib/libviand.so                    the API's thin front: it opens lib/viand/libviand_impl.so when first used
#   lib/viand/libviand_impl.so         everything else, exporting one function
#   lib/viand/libviand_arrow.so.2600   Arrow under names of our own (isolate.py says why), and its companions
#   lib/viand/libxgboost.so            loaded when a model is first trained or used
#   lib/cmake/viand/                   find_package(viand), target viand::viand
#   share/viand/templates/             what `viand init` copies
#
# The tree can be moved as a whole: every path in it is relative to the file that names it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
find_program(PATCHELF patchelf)

set(VIAND_PRIVATE_DIR ${CMAKE_INSTALL_LIBDIR}/viand)
set(_isolate ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/isolate.py)

set_target_properties(viand PROPERTIES INSTALL_RPATH "\$ORIGIN/../${VIAND_PRIVATE_DIR}")
# Each library exports what its map names; inline functions of Arrow's headers among our own would otherwise be exported
# too, and meet those of another Arrow.
set_target_properties(viand_impl PROPERTIES INSTALL_RPATH "\$ORIGIN" LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/impl.map)
target_link_options(viand_impl PRIVATE LINKER:--version-script=${CMAKE_CURRENT_LIST_DIR}/impl.map)
target_link_options(viand_shared PRIVATE LINKER:--version-script=${CMAKE_CURRENT_LIST_DIR}/front.map)
set_target_properties(viand_shared PROPERTIES
  OUTPUT_NAME viand EXPORT_NAME viand VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

install(TARGETS viand RUNTIME)
install(TARGETS viand_shared EXPORT viandTargets LIBRARY INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS viand_impl LIBRARY DESTINATION ${VIAND_PRIVATE_DIR})
install(DIRECTORY include/viand DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY examples/minimal examples/retail DESTINATION ${CMAKE_INSTALL_DATADIR}/viand/templates
  PATTERN data EXCLUDE PATTERN __pycache__ EXCLUDE)

# Arrow and XGBoost, renamed once in the build tree; the two programs of ours are made to ask for the new names there,
# after CMake has put them in place.
set(_private ${CMAKE_BINARY_DIR}/private)
set(_stamp ${_private}/.made)
add_custom_command(OUTPUT ${_stamp}
  COMMAND ${_isolate} copy --patchelf "${PATCHELF}" --to ${_private} --arrow ${VIAND_PYARROW}
          --soversion ${ArrowWheel_SOVERSION} --xgboost "${VIAND_XGBOOST}"
  COMMAND ${CMAKE_COMMAND} -E touch ${_stamp}
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/isolate.py VERBATIM)
add_custom_target(viand_private ALL DEPENDS ${_stamp})
add_custom_target(viand_install_tree DEPENDS viand viand_shared viand_impl viand_private)
install(DIRECTORY ${_private}/ DESTINATION ${VIAND_PRIVATE_DIR} USE_SOURCE_PERMISSIONS
  FILES_MATCHING PATTERN "*.so*")
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND ${_isolate} use --patchelf \"${PATCHELF}\"
  --soversion ${ArrowWheel_SOVERSION}
  \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/viand\"
  \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${VIAND_PRIVATE_DIR}/$<TARGET_FILE_NAME:viand_impl>\")")

set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/viand)
install(EXPORT viandTargets NAMESPACE viand:: DESTINATION ${_package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/viandConfig.cmake.in ${CMAKE_BINARY_DIR}/viandConfig.cmake
  INSTALL_DESTINATION ${_package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/viandConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/viandConfig.cmake ${CMAKE_BINARY_DIR}/viandConfigVersion.cmake DESTINATION ${_package})

# A sanitizer's runtime and RTLD_DEEPBIND exclude each other, so the installed library is tested in plain builds.
if(VIAND_TESTS AND NOT VIAND_SANITIZE)
  add_test(NAME install.consumer COMMAND ${CMAKE_SOURCE_DIR}/tests/consumer/check.sh ${CMAKE_BINARY_DIR} ${VIAND_PYARROW})
endif()
