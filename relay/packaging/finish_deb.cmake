# Run by CPack on the folder that becomes the package: what Debian's policy wants of it beyond `cmake --install`.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/dhcp-relay)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(strip --strip-all --remove-section=.comment --remove-section=.note ${root}/usr/sbin/dhcp-relay)
configure_file(${CPACK_DHCP_RELAY_PACKAGING_DIR}/changelog ${doc}/changelog.Debian COPYONLY)
run(gzip -9nf ${doc}/changelog.Debian ${root}/usr/share/man/man8/dhcp-relay.8)
run(chmod -R u=rwX,go=rX ${root})
