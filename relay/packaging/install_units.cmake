# Run by `cmake --install`, since only then the prefix is known: writes the two units and the file of defaults, and lets
# the completion be found by the program's other name. Settings are in /etc where the prefix is /usr, else below it.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(DEFAULTS_DIR /etc/default)
else()
  set(DEFAULTS_DIR ${CMAKE_INSTALL_PREFIX}/etc/default)
endif()
set(SBIN_DIR ${CMAKE_INSTALL_PREFIX}/${SBIN})
set(LIBEXEC_DIR ${CMAKE_INSTALL_PREFIX}/${LIBEXEC})

configure_file(${SOURCE_DIR}/dhcp-relay.service.in ${BUILD_DIR}/dhcp-relay.service @ONLY)
set(OF_INSTANCE " %i")
set(DASH_INSTANCE "-%i")
configure_file(${SOURCE_DIR}/dhcp-relay.service.in ${BUILD_DIR}/dhcp-relay@.service @ONLY)

file(INSTALL ${BUILD_DIR}/dhcp-relay.service ${BUILD_DIR}/dhcp-relay@.service
  DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
if(NOT EXISTS $ENV{DESTDIR}${DEFAULTS_DIR}/dhcp-relay)  # else it is the operator's
  file(INSTALL ${SOURCE_DIR}/dhcp-relay.default DESTINATION ${DEFAULTS_DIR} RENAME dhcp-relay)
endif()

file(CREATE_LINK dhcp-relay $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${DATA}/bash-completion/completions/dhcrelay SYMBOLIC)
