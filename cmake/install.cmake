# Installed paths: filled by the packaging rules below.
include(GNUInstallDirs)

if(TARGET comityd)
  install(TARGETS comityd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET comityctl)
  install(TARGETS comityctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES docs/man/comityctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/CONFIGURATION.md docs/PROTOCOL.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# systemd: the unit names where comityd was installed.
set(bindir ${CMAKE_INSTALL_FULL_BINDIR})
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/systemd/comityd.service
               ${CMAKE_CURRENT_BINARY_DIR}/comityd.service @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/comityd.service DESTINATION lib/systemd/system)
install(FILES systemd/comity.sysusers.conf DESTINATION lib/sysusers.d RENAME comity.conf)
install(FILES systemd/comity.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME comity.conf)
