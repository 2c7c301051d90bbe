# Installed paths, as a Debian administrator expects them; tests/integration/install.sh looks.
include(GNUInstallDirs)

if(TARGET comityd)
  install(TARGETS comityd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET comityctl)
  install(TARGETS comityctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES docs/man/comityctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/comity.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES docs/man/comityd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES README.md docs/CONFIGURATION.md docs/PROTOCOL.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Scripts for the authority that holds the anchor, and the lists that records are checked against.
install(DIRECTORY certs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/comity/certs USE_SOURCE_PERMISSIONS)
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/comity/data PATTERN "source" EXCLUDE)

# systemd: the unit names where comityd is installed, which --prefix may still change.
install(CODE "set(bindir \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR})
  configure_file(\"${CMAKE_CURRENT_SOURCE_DIR}/systemd/comityd.service\"
                 \"${CMAKE_CURRENT_BINARY_DIR}/comityd.service\" @ONLY)")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/comityd.service DESTINATION lib/systemd/system)
install(FILES systemd/comity.sysusers.conf DESTINATION lib/sysusers.d RENAME comity.conf)
install(FILES systemd/comity.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME comity.conf)
