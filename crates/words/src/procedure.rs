//! The sentences of the site's written procedure: how to do by hand what the program does.

use crate::voice::Voice;
use crate::{procedure_en, procedure_id};
use siaga_model::NodeName;
use siaga_model::config::Language;

/// A sentence of the procedure. Commands stand beside it, in no language.
#[derive(Clone, Debug)]
pub enum Procedure<'a> {
    // --- the boxes of the layout
    Definition,
    DefinitionText,
    Purpose,
    PurposeText,
    Policy,
    PolicyMissing,
    Steps,
    RelatedUnits,
    // --- general
    WhenToUse,
    UseProgramFirst,
    OneHolder,
    DecidedBy,
    CarriedOutBy,
    Witness,
    // --- the parts
    PartInform,
    PartCheck,
    PartMakeSafe {
        victim: &'a NodeName,
    },
    PartTakeover {
        service: &'a str,
        target: &'a NodeName,
    },
    PartFailback {
        service: &'a str,
        target: &'a NodeName,
    },
    PartDrill {
        service: &'a str,
    },
    PartWriteDown,
    // --- inform
    InformUnits {
        minutes: u64,
    },
    InformUnitsPlanned,
    InformNext,
    InformBack,
    UnitsHead,
    UnitColumn,
    ContactColumn,
    ChannelColumn,
    AddressColumn,
    // --- check
    CheckFromClient,
    CheckLogin {
        node: &'a NodeName,
    },
    CheckCause {
        node: &'a NodeName,
    },
    CheckRestartHere {
        node: &'a NodeName,
    },
    CheckPeerOffersNothing {
        target: &'a NodeName,
    },
    // --- make the old server safe
    NeverSkip {
        victim: &'a NodeName,
    },
    FenceBy {
        device: &'a str,
        power: bool,
    },
    FenceConfirm {
        device: &'a str,
    },
    FenceUnquotable,
    GoThere {
        victim: &'a NodeName,
    },
    SafeSigned {
        victim: &'a NodeName,
    },
    CannotMakeSafe {
        victim: &'a NodeName,
    },
    StaysOff {
        victim: &'a NodeName,
    },
    // --- release
    LoginRoot {
        node: &'a NodeName,
    },
    StopApplication {
        name: &'a str,
    },
    StopDatabase {
        user: &'a str,
    },
    /// Through its systemd unit, as root.
    StopDatabaseUnit {
        unit: &'a str,
    },
    StopDatabaseSlow,
    DatabaseGone,
    RemoveAddress {
        address: &'a str,
    },
    Unmount {
        mount_point: &'a str,
    },
    UnmountBusy,
    NothingMounted,
    ReleaseDiskSet,
    Released {
        node: &'a NodeName,
    },
    // --- take
    OtherLetGo {
        other: &'a NodeName,
    },
    TakeDiskSet,
    DeviceThere,
    FlushBuffers,
    Mount {
        mount_point: &'a str,
    },
    MountSlow,
    AddressFree {
        address: &'a str,
    },
    AddAddress {
        address: &'a str,
    },
    Announce {
        address: &'a str,
    },
    StartDatabase {
        user: &'a str,
    },
    /// Through its systemd unit, as root.
    StartDatabaseUnit {
        unit: &'a str,
    },
    StartSlow,
    DatabaseAnswers,
    StartApplication {
        name: &'a str,
    },
    TestApplication {
        name: &'a str,
    },
    // --- client tests
    ClientTests,
    ClientTest {
        name: &'a str,
    },
    ClientTestProbe {
        name: &'a str,
    },
    AfterMove {
        name: &'a str,
    },
    AllClear,
    // --- failback and drill
    FailbackAsked,
    FailbackRepaired {
        target: &'a NodeName,
    },
    HoldsNothing {
        target: &'a NodeName,
    },
    DrillPermission,
    DrillAbort,
    DrillStation {
        node: &'a NodeName,
    },
    // --- write down
    WriteDownText,
    ColumnDate,
    ColumnOffline,
    ColumnOnline,
    ColumnDuration,
    ColumnWhat,
    ColumnOfficer,
    AfterwardsProgram,
}

/// The sentence in words.
pub fn procedure(voice: impl Into<Voice>, text: &Procedure) -> String {
    match voice.into().language {
        Language::English => procedure_en::text(text),
        Language::Indonesian => procedure_id::text(text),
    }
}
