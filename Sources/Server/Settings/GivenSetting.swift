import RoundhouseMedia

/// A value as it was given, not yet validated; any may be one that is nobody's business.
struct GivenSetting {
    var texts: [Secret]
    var origin: SettingOrigin
}
